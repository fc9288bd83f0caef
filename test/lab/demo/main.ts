import { startDemoLab } from '../demo-lab.ts';
import type { Lab } from '../lab.ts';
import { steps } from './steps.ts';

/** The demo: every step in plain words with the time it took. Exit status 0 only when each was as described. */
let number = 0;

async function show<T>(
  title: string,
  run: () => Promise<T>,
  lines: (result: T) => readonly string[],
): Promise<T> {
  number += 1;
  const started = performance.now();
  process.stdout.write(`\n${number}. ${title}\n`);
  const result = await run();
  for (const line of lines(result)) process.stdout.write(`     ${line}\n`);
  process.stdout.write(`   ok, ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
  return result;
}

function placesOf(lab: Lab): string[] {
  return [
    `node ${lab.id}: bridge, iptables and the agent; pods demo, unbound, excepted behind it`,
    'azure: 169.254.169.254 behind the node, so that a packet which passes by the agent really gets there',
  ];
}

async function demo(): Promise<void> {
  const started = performance.now();
  let lab: Lab | undefined;
  try {
    const stage = await show(
      'a node, three pods, a Kubernetes API and an Azure come up',
      () => startDemoLab('demo'),
      ({ lab }) => placesOf(lab),
    );
    lab = stage.lab;
    for (const step of steps)
      await show(
        step.title,
        () => step.run(stage),
        (lines) => lines,
      );
    await show(
      'the lab goes down and leaves nothing',
      async () => lab?.down(),
      () => [],
    );
    process.stdout.write(
      `\nAll ${number} steps as described, ${((performance.now() - started) / 1000).toFixed(1)} s.\n`,
    );
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
