import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAppError } from '../../lib/model/errors.ts';
import { withoutHelm } from '../daemonset/render.ts';
import { type Behind, startBehind } from './azure.ts';
import { clean, prepared, refusal } from './cluster.ts';
import { Kubectl } from './kubectl.ts';
import { machinesOf } from './machines.ts';
import { openNodes } from './nodes.ts';
import { play } from './play.ts';
import { run } from './run.ts';
import { withoutColdStart } from './scenarios/cold-start.ts';
import { scenariosWith } from './scenarios.ts';
import { type Settings, settingsOf } from './settings.ts';
import type { Scenario } from './stage.ts';
import { seconds, tableOf } from './table.ts';
import { image } from './workload.ts';

/**
 * What scripts/e2e does. The last line is `N passed, N failed`; exit status 0 when nothing failed, 2 where it cannot run here.
 */
const root = join(import.meta.dirname, '../..');
/** A run that has not ended by then never will, ms. */
const longestMs = 40 * 60_000;

async function loaded({ build, load }: Settings): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'pod-identity-e2e-image-'));
  const archive = join(folder, 'pod-identity.tar');
  try {
    await run([build, root, image, archive], { timeoutMs: 15 * 60_000 });
    await run([load, archive], { timeoutMs: 5 * 60_000 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  console.log(`e2e: ${what}`);
  const done = await work();
  console.log(`e2e: ${what}: ${seconds(performance.now() - started)}`);
  return done;
}

async function e2e(settings: Settings, signal: AbortSignal): Promise<number> {
  const kubectl = new Kubectl();
  const refused = await refusal(kubectl);
  if (refused !== undefined) return cannot(refused);
  let behind: Behind | undefined;
  try {
    await step('the image is built and loaded', () => loaded(settings));
    signal.throwIfAborted();
    behind = await startBehind(kubectl, settings.onFabric);
    await prepared(kubectl, behind);
    const nodes = await openNodes(kubectl, settings.onNode);
    const machines = machinesOf(await kubectl.list('nodes'));
    const { imds, arm, gate } = behind;
    const stage = { kubectl, nodes, machines, imds, arm, gate };
    const rows = await play(await scenariosHere(), stage, { signal, tell: console.log });
    const table = tableOf(rows);
    console.log(`\n${table}`);
    return rows.every(({ breaches }) => breaches.length === 0) && !signal.aborted ? 0 : 1;
  } finally {
    await step('what is left is removed', () => clean(kubectl));
    await behind?.stop();
  }
}

/** All but those that lack something here, which is said. */
async function scenariosHere(): Promise<readonly Scenario[]> {
  const [noHelm, noCold] = [await withoutHelm(), withoutColdStart()];
  if (noHelm) console.log(`e2e: ${noHelm}: the scenarios of the chart are left out`);
  if (noCold !== undefined) console.log(`e2e: ${noCold}: the scenario of 200 pods is left out`);
  return scenariosWith({ helm: !noHelm, cold: noCold === undefined });
}

function cannot(why: string): number {
  console.error(`e2e: ${why}`);
  return 2;
}

async function main(): Promise<number> {
  const settings = settingsOf(process.env);
  if (typeof settings === 'string') return cannot(settings);
  const ending = new AbortController();
  const end = (why: string): void => ending.abort(new Error(why));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end(signal));
  setTimeout(() => end('it does not come to an end'), longestMs).unref();
  return e2e(settings, ending.signal);
}

try {
  process.exit(await main());
} catch (error) {
  if (isAppError(error, 'exec-missing')) process.exit(cannot(error.message));
  console.error(error);
  console.log('0 passed, 1 failed');
  process.exit(1);
}
