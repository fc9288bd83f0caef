/**
 * What the agent needs to start and to live: seconds to its start, memory at rest with 110 pods and after many requests, and
 * what its heap keeps of them. As root; exit status 1 when a figure misses its target.
 *
 *   scripts/node test/bench/memory.ts [--program=dist/bin/nmi] [--requests=1000000] [--starts=5] [--heap=false]
 */
import { existsSync, readdirSync, truncateSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { systemExec } from '../../lib/platform/exec.ts';
import type { Agent, AgentOptions } from '../lab/agent.ts';
import { eventually } from '../lab/eventually.ts';
import type { Lab } from '../lab/lab.ts';
import { unavailable } from '../lab/namespaces.ts';
import { bytesIn, growthOf, heapOf, snapshotOptions } from './memory-heap.ts';
import { residentOf } from './memory-resident.ts';
import { crowdedLab, load, podKubeconfig } from './memory-scene.ts';

const options = {
  program: { type: 'string', default: 'dist/bin/nmi' },
  requests: { type: 'string', default: '1000000' },
  starts: { type: 'string', default: '5' },
  heap: { type: 'boolean', default: true },
} as const;
const { values } = parseArgs({ options, allowNegative: true });
const program = resolve(values.program);
const [requests, starts] = [Number(values.requests), Number(values.starts)];

const pods = 110;
const connections = 64;
/** MB. */
const targets = { idle: 80, loaded: 100 };
/** What a heap may keep of all requests together: caches that fill and code that is compiled, not a byte per request. */
const mostKeptMb = 1;
/** Until a start has been cleared away, and until V8 gives back what a load has used, ms. */
const settleMs = 20_000;

let missed = 0;

function tell(what: string, found: string, held?: boolean): void {
  if (held === false) missed += 1;
  process.stdout.write(`${what.padEnd(44)}${found}${held === false ? '  MISSED' : ''}\n`);
}

function startAgent(lab: Lab, env: AgentOptions['env'] = {}): Agent {
  return lab.startAgent({ program, env: { KUBECONFIG: podKubeconfig(lab), ...env } });
}

/** Seconds from the start of the process to its line `serving pods`, and until it is ready. */
async function measureStarts(lab: Lab): Promise<void> {
  const serving: number[] = [];
  const ready: number[] = [];
  for (let i = 0; i < starts; i++) {
    const began = Date.now();
    const agent = startAgent(lab);
    await agent.ready();
    ready.push(Date.now() - began);
    const line = await eventually('it serves', () => agent.logs().find(({ msg }) => msg === 'serving pods'));
    serving.push(Date.parse(String(line.time)) - began);
    await agent.stop();
  }
  const sorted = (times: readonly number[]): string => times.toSorted((a, b) => a - b).join(', ');
  tell('start to serving pods', `${sorted(serving)} ms`);
  tell('start to ready', `${sorted(ready)} ms`);
}

/** The log of a million requests is a third of a gigabyte. */
function clearLogs(lab: Lab): void {
  for (const name of readdirSync(lab.folder)) {
    if (/^agent\d+\.log$/.test(name)) truncateSync(join(lab.folder, name));
  }
}

async function run(lab: Lab, count: number): Promise<void> {
  const { seconds, outcomes } = await load(lab, count, connections);
  clearLogs(lab);
  tell(`${count} requests`, `${Math.round(count / seconds)}/s, ${JSON.stringify(outcomes)}`);
}

async function measureMemory(lab: Lab): Promise<void> {
  const agent = startAgent(lab);
  await agent.ready();
  const look = (when: string, most?: number): void => {
    const { rssMb, anonymousMb } = residentOf(agent.pid);
    const found = `${rssMb.toFixed(1)} MB resident, ${anonymousMb.toFixed(1)} MB of it anonymous`;
    tell(when, found, most === undefined ? undefined : rssMb <= most);
  };
  look('at ready');
  await sleep(settleMs);
  look(`idle with ${pods} pods`, targets.idle);
  await run(lab, requests / 10);
  look('right after');
  await run(lab, requests);
  look('right after', targets.loaded);
  await sleep(settleMs);
  look('and at rest again', targets.loaded);
  await agent.stop();
}

async function measureHeap(lab: Lab): Promise<void> {
  const agent = startAgent(lab, { NODE_OPTIONS: snapshotOptions(lab.folder) });
  await agent.ready();
  await run(lab, requests / 10);
  const before = await heapOf(agent.pid, lab.folder);
  await run(lab, requests);
  const after = await heapOf(agent.pid, lab.folder);
  const mb = (bytes: number): string => (bytes / 1024 ** 2).toFixed(2);
  const kept = bytesIn(after) - bytesIn(before);
  tell('heap before', `${mb(bytesIn(before))} MB`);
  tell('heap after', `${mb(bytesIn(after))} MB`, kept <= mostKeptMb * 1024 ** 2);
  for (const { kind, count, bytes } of growthOf(before, after).slice(0, 8)) {
    tell(`  more ${kind.slice(0, 34)}`, `${count} of them, ${mb(bytes)} MB`, count < requests / 100);
  }
  await agent.stop();
}

const reason =
  unavailable() ?? (existsSync(program) ? undefined : `${program} is not there; run scripts/build`);
if (reason) {
  process.stderr.write(`memory: ${reason}\n`);
  process.exit(2);
}
// As the build of the image: fills the compile cache.
await systemExec(program, ['--version'], { timeoutMs: 10_000 });
const lab = await crowdedLab(pods);
try {
  await measureStarts(lab);
  await measureMemory(lab);
  if (values.heap) await measureHeap(lab);
} finally {
  lab.down();
}
process.exit(missed === 0 ? 0 : 1);
