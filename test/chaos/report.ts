import { aligned } from '../bench/aligned.ts';
import { damages } from '../netns/damage.ts';
import { deeds } from './deeds.ts';
import type { Tally } from './knock.ts';
import type { Outcome } from './node.ts';
import { knockers } from './stage.ts';

/** What was done to each node, what came of the requests, and which promises were kept. */
export function report(outcomes: readonly Outcome[]): {
  readonly text: string;
  readonly passed: number;
  readonly failed: number;
} {
  const row = (what: string, of: (outcome: Outcome) => string): string[] => [what, ...outcomes.map(of)];
  const doneRows = [...damages, ...deeds].map(({ name }) => row(name, ({ done }) => timesOf(name, done)));
  const requestRows = knockers.flatMap((who) =>
    requestsOf.map(([what, of]) => row(`${who}: ${what}`, ({ tallies }) => of(tallies[who]))),
  );
  const table = aligned([row('', ({ name }) => name), ...doneRows, ...requestRows]);
  const checks = outcomes.flatMap(({ name, checks }) => checks.map((check) => ({ name, ...check })));
  const failed = checks.filter(({ breaches }) => breaches.length > 0);
  const told = failed.map(
    ({ name, promise, breaches }) => `FAILED: ${name}: ${promise}\n  ${breaches.slice(0, 40).join('\n  ')}`,
  );
  const text = [table, '', ...told].join('\n');
  return { text, passed: checks.length - failed.length, failed: failed.length };
}

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0);

const requestsOf: readonly (readonly [string, (tally: Tally) => string])[] = [
  ['answered', ({ answered }) => `${sum(answered)}`],
  ['of those, waited over 0.9 s', ({ waited }) => `${waited}`],
  ['refused or reset', ({ failed }) => `${sum(failed)}`],
  ['no answer in 4 s', ({ gaveUp }) => `${gaveUp}`],
];

/** `12`, or `12 (3 in vain)`; nothing where it does not belong. */
function timesOf(name: string, { times, inVain }: Outcome['done']): string {
  const vain = inVain.get(name) ?? 0;
  return `${times.get(name) ?? '–'}${vain > 0 ? ` (${vain} in vain)` : ''}`;
}
