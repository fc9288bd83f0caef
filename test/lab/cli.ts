import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { addresses } from './addresses.ts';
import { runDemoLab } from './demo-lab.ts';
import { imdsClient } from './imds/client.ts';
import { bare, inside, unavailable } from './namespaces.ts';
import { azureOf, namespacesOf, nodeOf, podOf } from './network.ts';
import { disown } from './owned.ts';
import { folderOf, type LabState, readState, removeLab, startTime, sweep } from './state.ts';

/** What `scripts/lab` does; each verb gives the exit status. */
const id = process.env.LAB_ID ?? 'lab';
const folder = folderOf(id);
const usage = 'usage: lab up | status | exec POD -- CMD… | down';

const verbs: Readonly<Record<string, (args: readonly string[]) => number | Promise<number>>> = {
  up,
  status,
  exec,
  down,
};

async function up(): Promise<number> {
  sweep();
  const there = readState(id);
  if (there?.owner) return fail(`process ${there.owner.pid} is bringing the lab up`);
  if (there) {
    console.log('the lab is up already');
    return status();
  }
  const lab = await runDemoLab(id);
  lab.keep();
  await status();
  const query = 'api-version=2018-02-01&resource=https://vault.azure.net';
  const me = id === 'lab' ? 'scripts/lab' : `LAB_ID=${id} scripts/lab`;
  console.log(`
look:
  ${me} exec demo -- curl -sS -H Metadata:true 'http://${addresses.imds}/metadata/identity/oauth2/token?${query}'
  ${me} exec node -- iptables-nft-save
  curl -s --unix-socket ${folder}/imds.sock http://imds/log
  curl -s --unix-socket ${folder}/kube.sock http://kube/api/v1/pods
  tail -f ${folder}/agent1.log
  ${me} down`);
  return 0;
}

async function status(): Promise<number> {
  const state = readState(id);
  if (!state) {
    console.log('the lab is down');
    return 1;
  }
  console.log(`the lab is up; its files are in ${folder}`);
  console.log(table([...places(state), ...processes(state)]));
  if (existsSync(`${folder}/imds.sock`)) {
    const { requests, issued } = await imdsClient(`${folder}/imds.sock`).log();
    console.log(`IMDS has heard ${requests.length} requests and issued ${issued.length} tokens`);
  }
  return 0;
}

function places({ pods }: LabState): string[][] {
  return [
    ['azure', `${addresses.imds}, ${addresses.azure}`, azureOf(id)],
    ['node', addresses.node, nodeOf(id)],
    ...pods.map((pod) => [`pod ${pod.name}`, pod.ip, namespaceOf(pod.name) ?? '']),
  ];
}

function processes(state: LabState): string[][] {
  return state.processes.map(({ name, pid, startTime: started, log }) => {
    return [name, startTime(pid) === started ? `pid ${pid}` : 'has ended', log];
  });
}

/** Aligned columns, indented. */
function table(rows: readonly string[][]): string {
  const width = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const widths = [0, 1, 2].map(width);
  return rows
    .map((row) => `  ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}`.trimEnd())
    .join('\n');
}

function exec([place = '', ...rest]: readonly string[]): Promise<number> | number {
  const command = rest[0] === '--' ? rest.slice(1) : rest;
  if (!place || command.length === 0) return fail(usage);
  const state = readState(id);
  if (!state) return fail('the lab is down');
  const namespace = namespaceOf(place);
  if (!namespace)
    return fail(`the lab has no pod ${place}; it has ${state.pods.map(({ name }) => name).join(', ')}`);
  return passThrough(namespace, command);
}

function namespaceOf(place: string): string | undefined {
  const pod = readState(id)?.pods.find(({ name }) => name === place);
  if (pod) return pod.hostNetwork ? nodeOf(id) : podOf(id, place);
  return { node: nodeOf(id), azure: azureOf(id) }[place];
}

/** The terminal, the streams and the exit status are the command's own; Ctrl-C goes to it alone. */
function passThrough(namespace: string, command: readonly string[]): Promise<number> {
  process.on('SIGINT', () => undefined);
  const child = spawn('nsenter', [...inside(namespace), '--', ...bare(command)], { stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
  });
}

function down(): number {
  const was = readState(id) !== undefined || namespacesOf(id).length > 0;
  removeLab(id);
  disown(id);
  console.log(was ? 'the lab is down' : 'the lab was down already');
  return 0;
}

function fail(message: string): number {
  console.error(`lab: ${message}`);
  return 2;
}

const [verb = '', ...args] = process.argv.slice(2);
const reason = unavailable();
try {
  if (!Object.hasOwn(verbs, verb)) process.exitCode = fail(usage);
  else if (reason) process.exitCode = fail(reason);
  else process.exitCode = await verbs[verb]?.(args);
} catch (error) {
  process.exitCode = fail((error as Error).message);
}
