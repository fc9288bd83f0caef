import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { startDemoLab } from '../demo-lab.ts';
import { eventually } from '../eventually.ts';
import type { Lab } from '../lab.ts';
import { pidsIn } from '../namespaces.ts';
import { namespacesOf } from '../network.ts';
import { steps } from './steps.ts';

/** The demo: every step in plain words with the time it took. Exit status 0 only when each was as described. */
let shown = 0;
const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;

async function show(title: string, run: () => Promise<readonly string[]>): Promise<void> {
  shown += 1;
  const started = performance.now();
  process.stdout.write(`\n${shown}. ${title}\n`);
  for (const line of await run()) process.stdout.write(`     ${line}\n`);
  process.stdout.write(`   ok, ${seconds(started)}\n`);
}

/** Looks for what may be left: namespaces, with which their rules go, processes, and files. */
async function takeDown(lab: Lab): Promise<string[]> {
  const pids = namespacesOf(lab.id).flatMap(pidsIn);
  lab.down();
  assert.deepEqual(namespacesOf(lab.id), []);
  assert.ok(!existsSync(lab.folder));
  await eventually('the processes are gone', () => pids.every((pid) => !existsSync(`/proc/${pid}`)));
  return [`${pids.length} processes ended; no namespace, rule or file is left`];
}

async function demo(): Promise<void> {
  const started = performance.now();
  let lab: Lab | undefined;
  let stage: Awaited<ReturnType<typeof startDemoLab>>;
  try {
    await show('a node, three pods, a Kubernetes API and an Azure come up', async () => {
      stage = await startDemoLab('demo');
      lab = stage.lab;
      return [
        'node: a bridge, iptables and the agent; pods demo, unbound and excepted are behind it',
        'azure: 169.254.169.254 behind the node, so that a packet which passes by the agent really gets there',
      ];
    });
    for (const { title, run } of steps) await show(title, () => run(stage));
    await show('the lab goes down and leaves nothing', () => takeDown(stage.lab));
    process.stdout.write(`\nAll ${shown} steps as described, ${seconds(started)}.\n`);
  } finally {
    lab?.down();
  }
}

try {
  await demo();
} catch (error) {
  process.stderr.write(`\n   FAILED: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
