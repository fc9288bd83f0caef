import { aligned } from '../aligned.ts';
import { dearest, type RedirectFigures, targets } from './measure.ts';

/** A figure of one place; `held` is undefined where nothing is promised. */
interface Figure {
  readonly found: string;
  readonly held: boolean | undefined;
}

/** The two tables, one column for each place, and how many figures miss their target. */
export function report(places: readonly RedirectFigures[]): {
  readonly text: string;
  readonly missed: number;
} {
  const names = places.map(({ backend, foreign }) => `${backend}, ${foreign} foreign rules`);
  let missed = 0;
  const row = (what: string, of: (place: RedirectFigures) => Figure): string[] => {
    const figures = places.map(of);
    missed += figures.filter(({ held }) => held === false).length;
    return [what, ...figures.map(({ found, held }) => (held === false ? `${found} MISSED` : found))];
  };
  const costs = costRows.map(([what, of]) => row(what, of));
  const damages = Object.keys(places[0]?.healed ?? {});
  const heals = damages.map((name) => row(name, (place) => healing(place, name)));
  const text = [
    aligned([['CPU, children counted', ...names], ...costs]),
    aligned([['healed in: least, median, most (ms)', ...names], ...heals]),
  ].join('\n\n');
  return { text, missed };
}

const { checkCpuMs, repairCpuMs, keeperPercent, healedMs } = targets;
const ms = (value: number): string => `${value.toFixed(1)} ms`;
const percent = (value: number): string => `${value.toFixed(2)} %`;

const costRows: readonly (readonly [string, (place: RedirectFigures) => Figure])[] = [
  [
    `a check (at most ${checkCpuMs.nft} ms, legacy ${checkCpuMs.legacy})`,
    ({ backend, mangle: { check } }) => ({
      found: `${ms(check.cpuMs)}, of which the agent ${check.ownMs.toFixed(1)}`,
      held: check.cpuMs <= checkCpuMs[backend],
    }),
  ],
  [
    'a check with --guard=both',
    ({ both: { check } }) => ({
      found: `${ms(check.cpuMs)}, of which the agent ${check.ownMs.toFixed(1)}`,
      held: undefined,
    }),
  ],
  [
    `the dearest repair (at most ${repairCpuMs} ms)`,
    ({ mangle }) => {
      const [name, { cpuMs, wallMs }] = dearest(mangle);
      return { found: `${ms(cpuMs)}, takes ${wallMs.toFixed(0)} (${name})`, held: cpuMs <= repairCpuMs };
    },
  ],
  [
    `the keeper, of a core (at most ${keeperPercent} %)`,
    ({ idle: { keeper } }) => ({
      found: `${percent(keeper.percent)}, of which children ${keeper.childrenPercent.toFixed(2)}`,
      held: keeper.percent <= keeperPercent,
    }),
  ],
  [
    'an idle agent, keeper and all the rest',
    ({ idle: { agent } }) => ({
      found: `${percent(agent.percent)}, of which children ${agent.childrenPercent.toFixed(2)}`,
      held: undefined,
    }),
  ],
];

function healing({ backend, healed }: RedirectFigures, name: string): Figure {
  const sorted = (healed[name] ?? []).toSorted((a, b) => a - b);
  const [least = 0, median = 0, most = 0] = [0, Math.floor(sorted.length / 2), -1].map((at) => sorted.at(at));
  return { found: [least, median, most].map(Math.round).join(', '), held: most <= healedMs[backend] };
}
