import { connect } from 'node:net';
import { join } from 'node:path';
import type { Test } from 'tap';
import { systemClock } from '../../lib/platform/clock.ts';
import type { Exec } from '../../lib/platform/exec.ts';
import { createLogger } from '../../lib/platform/log.ts';
import type { BackendName } from '../../lib/redirect/iptables.ts';
import { createRedirect, type Redirect, type RedirectOptions } from '../../lib/redirect/redirect.ts';
import type { RedirectRules } from '../../lib/redirect/rules.ts';
import { addresses, podAddress } from '../lab/addresses.ts';
import { eventually } from '../lab/eventually.ts';
import { type LabProcess, ready, startProcess } from '../lab/processes.ts';
import { execIn, readFileIn, throwAwayNode } from './namespaces.ts';

/** A pod and its node, that keep connections to the metadata address from before there was a redirect, and from gaps in it. */
export interface OldConnections {
  readonly pod: Client;
  readonly node: Client;
  readonly onNode: Exec;
  /** The redirect stage on this node; `redirect(podPort)` sends pods to the listener `agent`. */
  redirect(more?: Partial<RedirectOptions>): Redirect;
  /** A line for iptables on the node. */
  iptables(line: string): Promise<string>;
  /** The lines of the pod that Azure has received by now. */
  azureAsked(): Promise<readonly string[]>;
  /** The pod's connections to the metadata address that the node's kernel knows of and that are not redirected. */
  tracked(): Promise<number>;
  /** Resolves when the guard has dropped `packets` more. */
  dropped(packets?: number): Promise<void>;
}

/** Connections to the metadata address, by name. */
export interface Client {
  open(name: string): Promise<void>;
  /** Sends the first SYN of a connection, and the line when it is open. */
  begin(name: string, line: string): Promise<void>;
  /** Resolves when the line is sent. */
  say(name: string, line: string): Promise<void>;
  /** From now on eight lines are under way, as long as they are answered. */
  pipeline(name: string): Promise<void>;
  /** Who has answered, answer by answer. */
  heard(name: string): readonly string[];
  isReset(name: string): boolean;
}

export const podPort = 2579;

export async function setOldConnections(t: Test, backend: BackendName): Promise<OldConnections> {
  const names = throwAwayNode(t);
  const onNode = execIn(names.node);
  const iptables = async (line: string): Promise<string> => {
    const args = ['-w', '5', ...line.split(' ')];
    const { code, stdout, stderr } = await onNode(`iptables-${backend}`, args, { timeoutMs: 10_000 });
    if (code !== 0) throw new Error(`iptables ${line}: ${stderr}`);
    return stdout;
  };
  // As kube-proxy does: without a rule that asks for it, the kernel tracks nothing, and there is nothing to delete.
  await iptables('-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT');
  const start = startIn(names.folder);
  const azure = await start('azure', names.azure, 'line-server.ts', 'azure', addresses.imds, '80');
  await start('agent', names.node, 'line-server.ts', 'agent', addresses.node, `${podPort}`);
  const startClient = async (name: 'pod' | 'node'): Promise<Client> => {
    const control = join(names.folder, `${name}.control`);
    return clientOf(await start(name, names[name], 'line-client.ts', addresses.imds, '80', control), control);
  };
  const drops = async (): Promise<number> => dropsIn(await iptables('-t mangle -v -S aad-metadata-guard'));
  return {
    pod: await startClient('pod'),
    node: await startClient('node'),
    onNode,
    iptables,
    redirect: (more) =>
      createRedirect({ ...defaults, exec: onNode, readFile: readFileIn(names.node), backend, ...more }),
    azureAsked: async () => {
      // Its answer to the node comes after it has read all that had arrived before.
      const ask = `exec 3<>/dev/tcp/${addresses.imds}/80; echo /fence >&3; read -r -u 3`;
      const { code, stderr } = await onNode('bash', ['-c', ask], { timeoutMs: 10_000 });
      if (code !== 0) throw new Error(`the node cannot ask Azure: ${stderr}`);
      const lines = azure.output().matchAll(/^asked (\S+) (.*)$/gm);
      return [...lines].flatMap(([, peer, line = '']) => (peer === podAddress(10) ? [line] : []));
    },
    tracked: async () => {
      const args = ['-L', '-p', 'tcp', '--orig-src', podAddress(10), '--reply-src', addresses.imds];
      const { stdout } = await onNode('conntrack', args, { timeoutMs: 10_000 });
      return stdout.split('\n').filter((line) => line !== '').length;
    },
    dropped: async (packets = 1) => {
      const before = await drops();
      await eventually(`the guard has dropped ${packets}`, async () => (await drops()) >= before + packets);
    },
  };
}

const startIn =
  (folder: string) =>
  async (name: string, namespace: string, program: string, ...args: readonly string[]) => {
    const command = [process.execPath, join(import.meta.dirname, program), ...args] as const;
    const started = startProcess({ namespace, command: [...command], log: join(folder, name) });
    await ready(name, started);
    return started;
  };

function clientOf({ output }: LabProcess, control: string): Client {
  const command = (line: string): Promise<void> =>
    new Promise((resolve, reject) => {
      connect(control)
        .on('error', reject)
        .on('close', () => resolve())
        .resume()
        .end(`${line}\n`);
    });
  return {
    open: async (name) => {
      await command(`open ${name}`);
      await eventually(`${name} is open`, () => output().includes(`\n${name} open\n`));
    },
    begin: async (name, line) => {
      await command(`open ${name}`);
      await command(`say ${name} ${line}`);
    },
    say: (name, line) => command(`say ${name} ${line}`),
    pipeline: (name) => command(`pipeline ${name}`),
    heard: (name) =>
      [...output().matchAll(new RegExp(`^${name} heard (\\w+)$`, 'gm'))].map(([, who]) => `${who}`),
    isReset: (name) => output().includes(`\n${name} error ECONNRESET\n`),
  };
}

const rules: RedirectRules = {
  metadataIp: addresses.imds,
  metadataPort: 80,
  listen: addresses.node,
  targetIp: addresses.node,
  ports: [podPort, podPort + 1],
  owner: 'a1',
};

const defaults = {
  rules,
  clock: systemClock,
  log: createLogger('json', { to: { write: () => undefined } }),
  random: () => 0,
  guard: 'mangle',
  answers: async (): Promise<'no'> => 'no',
  conntrackDeletion: true,
  onRepair: () => undefined,
} as const;

/** What the guard's first rule has dropped: `-A aad-metadata-guard … -c PACKETS BYTES -j DROP`. */
function dropsIn(lines: string): number {
  const [, packets] = /^-A .* -c (\d+) /m.exec(lines) ?? [];
  if (packets === undefined) throw new Error(`the guard's counters cannot be read in ${lines}`);
  return Number(packets);
}
