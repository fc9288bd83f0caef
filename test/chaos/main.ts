/** What `scripts/test --chaos` does. The last line is `N passed, N failed`; exit status 0 when nothing failed, 2 for a wrong flag. */
import { parseArgs } from 'node:util';
import { unavailable } from '../lab/namespaces.ts';
import { type Outcome, weather } from './node.ts';
import { report } from './report.ts';

/** One node each, side by side. With the default guard one table is damaged at a time, with `both` all of them. */
const nodes = [
  { backend: 'nft', guard: 'mangle' },
  { backend: 'legacy', guard: 'mangle' },
  { backend: 'nft', guard: 'both' },
  { backend: 'legacy', guard: 'both' },
] as const;

const usage = 'usage: test --chaos [SECONDS] [--seed=N]';
/** A storm that has not ended by then never will, s: the longest healing, twice, and the ends of all programs. */
const graceSeconds = 300;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    args: process.argv.slice(2),
    options: { seed: { type: 'string' } },
    allowPositionals: true,
  });
  const seconds = Number(positionals[0] ?? 300);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
  if (!(seconds >= 1 && seconds <= 3_600) || !Number.isInteger(seed) || positionals.length > 1)
    return fail(usage);
  const reason = unavailable();
  if (reason) return fail(reason);
  console.log(
    `chaos: ${nodes.length} nodes for ${seconds} s; again with the same choices: --chaos ${seconds} --seed=${seed}`,
  );
  setTimeout(() => process.exit(fail('it does not come to an end')), (seconds + graceSeconds) * 1000).unref();
  const outcomes: Outcome[] = await Promise.all(
    nodes.map((node, at) => weather({ ...node, seconds, seed: seed + at })),
  );
  const { text, passed, failed } = report(outcomes);
  console.log(`${text}\n${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

function fail(message: string): number {
  console.error(`chaos: ${message}`);
  return 2;
}

try {
  process.exit(await main());
} catch (error) {
  console.error(error);
  console.log('0 passed, 1 failed');
  process.exit(1);
}
