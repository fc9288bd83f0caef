import { spawnSync } from 'node:child_process';

/**
 * Network namespaces by way of `ip`. Synchronous throughout, because teardown must also work while the process exits.
 * Everything is made inside the namespaces; the machine's own is never touched.
 */

/** Why no namespace can be made here, in one sentence; undefined when they can. */
export function unavailable(): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const missing = ['ip', 'nsenter'].find((program) => spawnSync(program, ['-V']).error);
  return missing && `${missing} is not installed`;
}

/** Runs `ip` with these arguments and gives its output. Throws with its words when it fails. */
export function ip(...args: readonly string[]): string {
  return runIp(args);
}

/** Runs these `ip` commands, one a line, inside the namespace; the first that fails ends it. */
export function ipIn(namespace: string, commands: readonly string[]): void {
  runIp(['-n', namespace, '-batch', '-'], `${commands.join('\n')}\n`);
}

/** Sets a sysctl below /proc/sys/net of the namespace, e.g. `ipv4/ip_forward`. */
export function sysctl(namespace: string, name: string, value: string): void {
  const { status, stderr } = spawnSync('nsenter', [...inside(namespace), 'tee', `/proc/sys/net/${name}`], {
    input: value,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`sysctl net/${name} in ${namespace}: ${stderr}`);
}

/** What stands before a command in `nsenter …` to run it in this namespace; only the network differs. */
export function inside(namespace: string): string[] {
  return [`--net=/run/netns/${namespace}`];
}

export function namespaces(): string[] {
  return ip('netns', 'list')
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
    .filter((name) => name !== '');
}

/** The processes whose network is this namespace; none when it is gone. */
export function pidsIn(namespace: string): number[] {
  const { stdout } = spawnSync('ip', ['netns', 'pids', namespace], { encoding: 'utf8' });
  return stdout.split('\n').flatMap((line) => Number(line) || []);
}

/**
 * The command with nothing of this machine's environment but PATH: a proxy, an Azure login or a home folder would change what
 * an SDK in a pod does.
 */
export function bare(command: readonly string[]): string[] {
  const { PATH = '', TERM = 'dumb' } = process.env;
  return ['env', '-i', `PATH=${PATH}`, `TERM=${TERM}`, 'HOME=/dev/null', ...command];
}

/** Kills what runs in the namespace and deletes it. Does nothing when there is none. */
export function removeNamespace(namespace: string): void {
  const deadline = performance.now() + 5000;
  for (let pids = pidsIn(namespace); pids.length > 0; pids = pidsIn(namespace)) {
    if (performance.now() > deadline)
      throw new Error(`${namespace}: processes ${pids.join(', ')} do not die`);
    for (const pid of pids) kill(pid);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
  if (namespaces().includes(namespace)) ip('netns', 'delete', namespace);
}

/** SIGKILL; fine when the process is gone. */
export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself in between.
  }
}

function runIp(args: readonly string[], input = ''): string {
  const { status, stdout, stderr, error } = spawnSync('ip', args, { encoding: 'utf8', input });
  if (error) throw new Error(`ip cannot be run: ${error.message}`);
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr.trim()}\n${input}`);
  return stdout;
}
