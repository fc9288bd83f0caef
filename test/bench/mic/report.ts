import { aligned } from '../aligned.ts';
import { type MicFigures, targets } from './measure.ts';
import type { PlanCost, ScaleFigures } from './scale-program.ts';
import type { Size } from './size.ts';
import { wholeReport } from './whole-report.ts';

/** A line of the table: one value of each size. */
interface Row {
  readonly what: string;
  readonly of: (figures: ScaleFigures) => number;
  readonly unit?: 'ms' | 'MB';
  /** What the value must not exceed. */
  readonly most?: (size: Size) => number;
}

/** The table, with the growth from the tenth to the full size, and how many figures miss their target. */
export function report({ tenth, full, whole }: MicFigures): {
  readonly text: string;
  readonly missed: number;
} {
  const lines = rows.map((row) => {
    const values = [tenth, full].map((figures) => {
      const value = row.of(figures);
      const missed = row.most !== undefined && value > row.most(figures.size);
      return { value, missed, text: `${written(value, row.unit)}${missed ? ' MISSED' : ''}` };
    });
    const [small, large] = values.map(({ value }) => value);
    const cells = [row.what, ...values.map(({ text }) => text), growth(small, large)];
    return { cells, missed: values.filter(({ missed }) => missed).length };
  });
  const head = ['', 'a tenth', 'full size', 'growth'];
  const process = wholeReport(whole);
  const table = aligned([head, ...lines.map(({ cells }) => cells)]);
  const text = [table, ...notes, process.text].join('\n');
  return { text, missed: lines.reduce((sum, { missed }) => sum + missed, process.missed) };
}

const notes = [
  '',
  'A plan includes its snapshot, and is always made of everything; told is the most of all runs. Wall time is longer where other',
  'programs have the processor, CPU time hardly is: the target holds for that.',
  `A PATCH takes ${targets.idsPerPatch} identities, so that a scale set that needs more of them takes more than one.`,
  'The API server and ARM answer at once here: the calls are those of changes that come together. In a cluster --clientQps',
  'divides them, and a scale set is asked again when more has come meanwhile. Memory is that of this measurement, with the',
  'stand-ins for the cluster and Azure.',
];

const most = (costs: readonly PlanCost[], of: keyof PlanCost): number =>
  Math.max(...costs.map((cost) => cost[of]));

const patchesFor = ({ identities }: Size): number => Math.ceil(identities / targets.idsPerPatch);

function planRows(what: string, of: (figures: ScaleFigures) => readonly PlanCost[]): Row[] {
  return [
    {
      what: `plan, ${what}: CPU (at most ${targets.planCpuMs} ms)`,
      of: (figures) => most(of(figures), 'cpuMs'),
      unit: 'ms',
      most: () => targets.planCpuMs,
    },
    { what: `plan, ${what}: wall`, of: (figures) => most(of(figures), 'wallMs'), unit: 'ms' },
  ];
}

const rows: readonly Row[] = [
  { what: 'pods', of: ({ size }) => size.pods },
  { what: 'nodes', of: ({ size }) => size.nodes },
  { what: 'scale sets', of: ({ size }) => size.scaleSets },
  { what: 'identities, each on every scale set', of: ({ size }) => size.identities },
  ...planRows('nothing assigned', ({ plans }) => plans.cold),
  ...planRows('all assigned', ({ plans }) => plans.steady),
  ...planRows('all assigned but one pod', ({ plans }) => plans.onePod),
  { what: 'from nothing to all assigned: plans', of: ({ coldStart }) => coldStart.plans },
  { what: 'ARM GETs', of: ({ coldStart }) => coldStart.gets },
  {
    what: `ARM GETs of one scale set (at most ${targets.getsOfOne})`,
    of: ({ coldStart }) => coldStart.getsOfOne,
    most: () => targets.getsOfOne,
  },
  { what: 'ARM PATCHes', of: ({ coldStart }) => coldStart.patches },
  {
    what: `ARM PATCHes of one scale set (at most one for ${targets.idsPerPatch} identities)`,
    of: ({ coldStart }) => coldStart.patchesOfOne,
    most: patchesFor,
  },
  { what: 'API writes: created', of: ({ coldStart }) => coldStart.writes.create ?? 0 },
  { what: 'API writes: state Assigned', of: ({ coldStart }) => coldStart.writes.state ?? 0 },
  { what: 'API writes: failed (none)', of: ({ coldStart }) => coldStart.failed, most: () => 0 },
  {
    what: 'one pod more, its identity on the scale set: ARM calls',
    of: ({ onePod }) => onePod.gets + onePod.patches,
  },
  {
    what: 'one pod more: API writes',
    of: ({ onePod }) => Object.values(onePod.writes).reduce((sum, each) => sum + each, 0),
  },
  { what: 'memory with the cluster alone, at most', of: ({ sceneMb }) => sceneMb, unit: 'MB' },
  { what: 'memory until all is assigned, at most', of: ({ peakMb }) => peakMb, unit: 'MB' },
];

function written(value: number, unit: Row['unit']): string {
  const figure = value.toLocaleString('en-US', {
    maximumFractionDigits: unit === 'ms' && value < 100 ? 1 : 0,
  });
  return unit === undefined ? figure : `${figure} ${unit}`;
}

/** '' where there is nothing to grow from. */
function growth(small = 0, large = 0): string {
  return small === 0 ? '' : `× ${(large / small).toFixed(1)}`;
}
