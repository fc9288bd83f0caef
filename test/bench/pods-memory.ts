/**
 * What MIC needs to hold the pods of a large cluster: lists them page by page as it does at its start, from a server that
 * makes them up, and all of them once more as after a compaction. Exit status 1 when the peak misses its target. The option is for
 * V8, which otherwise lets 100 MB of garbage lie; the programs in bin set it, too.
 *
 *   scripts/node --max-semi-space-size=2 test/bench/pods-memory.ts [--pods=100000]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { Connection } from '../../lib/kube/connection.ts';
import { assignedPods } from '../../lib/kube/mic-resources.ts';
import { Reflector, type ReflectorEvent } from '../../lib/kube/reflector.ts';
import { Store } from '../../lib/kube/store.ts';
import type { MicPod } from '../../lib/model/assigned-object.ts';
import { systemClock } from '../../lib/platform/clock.ts';
import { createLogger } from '../../lib/platform/log.ts';

const { values } = parseArgs({ options: { pods: { type: 'string', default: '100000' } } });
/** MB, of the whole process. */
const target = 400;

/** `VmHWM`: the most that was ever resident; `VmRSS`: what is now. MB. */
function memory(field: 'VmHWM' | 'VmRSS'): number {
  const kb = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return Number(kb) / 1024;
}

function tell(what: string): void {
  const [peak, now] = [memory('VmHWM').toFixed(0), memory('VmRSS').toFixed(0)];
  process.stdout.write(`${what.padEnd(40)}${now} MB now, ${peak} MB at most\n`);
}

async function measure(url: string, folder: string): Promise<boolean> {
  const path = join(folder, 'kubeconfig');
  const cluster = { server: url, 'insecure-skip-tls-verify': true };
  const context = { name: 'c', context: { cluster: 'c', user: 'u' } };
  const config = { clusters: [{ name: 'c', cluster }], users: [{ name: 'u', user: { token: 't' } }] };
  writeFileSync(path, JSON.stringify({ ...config, contexts: [context], 'current-context': 'c' }));
  const source = { kind: 'kubeconfig', path } as const;
  const connection = new Connection({ source, userAgent: 'bench', clock: systemClock });
  const store = new Store<MicPod>(() => undefined);
  tell('before');
  const lists = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const onEvent = (event: ReflectorEvent): void => {
    if (event !== 'listed') return;
    tell(`${store.size} pods listed`);
    lists.shift()?.resolve();
  };
  const log = createLogger('json', { to: { write: () => undefined } });
  const reflector = new Reflector(assignedPods(), store, { connection, random: () => 0, log, onEvent });
  const stop = new AbortController();
  const listed = Promise.all(lists.map(({ promise }) => promise));
  const running = reflector.run(stop.signal);
  await listed;
  stop.abort();
  await running;
  await connection.close();
  const sample = [...store.values()][0];
  if (store.size !== Number(values.pods) || !sample) throw new Error(`${store.size} pods, and ${sample}`);
  return memory('VmHWM') <= target;
}

const maker = join(import.meta.dirname, 'pods-maker.ts');
const server = spawn(process.execPath, [maker, values.pods], { stdio: ['ignore', 'pipe', 'inherit'] });
const folder = mkdtempSync(join(tmpdir(), 'pods-memory-'));
try {
  const [url] = await createInterface(server.stdout)
    [Symbol.asyncIterator]()
    .next()
    .then(({ value }) => [String(value)]);
  const held = await measure(url ?? '', folder);
  process.stdout.write(`${held ? 'held' : 'MISSED'}: ${target} MB\n`);
  process.exitCode = held ? 0 : 1;
} finally {
  server.kill();
  rmSync(folder, { recursive: true });
}
