import { aligned } from '../aligned.ts';
import type { Compared, Figures } from './cells.ts';
import { type AgentFigures, bare, other, ours, type SuiteFigures } from './suite.ts';
import { heldIn, targets } from './targets.ts';

/** A figure as text; `held` is undefined where nothing is promised. */
interface Finding {
  readonly what: string;
  readonly found: string;
  readonly held?: boolean;
}

/** The tables, and how many figures miss their target. */
export function report({ cells, agents }: SuiteFigures): { readonly text: string; readonly missed: number } {
  let missed = 0;
  const mark = (found: string, held?: boolean): string => {
    if (held === false) missed += 1;
    return held === false ? `${found} MISSED` : found;
  };
  const rows = cells.map((cell) => cellRow(cell, mark));
  const tables = [aligned([cellHead, ...rows])];
  const compared = cells.flatMap(otherRow);
  if (compared.length > 0) tables.push(aligned([otherHead, ...compared]));
  for (const [name, figures] of Object.entries(agents)) {
    const findings = findingsOf(figures);
    // Promises are the agent's; of another one, there is only what was found.
    const judged = name === ours ? mark : (found: string): string => found;
    tables.push(
      aligned([[name, ''], ...findings.map(({ what, found, held }) => [what, judged(found, held)])]),
    );
  }
  return { text: tables.join('\n\n'), missed };
}

const ms = (value: number): string => (value < 10 ? value.toFixed(2) : value.toFixed(1));
const whole = (value: number): string => `${Math.round(value)}`;

const cellHead = [
  ...['pods', 'IMDS ms', 'connections', 'requests/s', 'of the bare server', 'p50 ms', 'p99 ms'],
  ...['CPU ms per 1,000', 'not 200', 'cores: agent + load', 'bare + load'],
];

function cellRow(cell: Compared, mark: (found: string, held: boolean) => string): string[] {
  const [mine, ceiling] = [cell.by[ours] as Figures, cell.by[bare] as Figures];
  const held = heldIn(cell);
  const percent = whole((mine.perSecond / ceiling.perSecond) * 100);
  const cores = ({ serverBusy, busy }: Figures): string => `${serverBusy.toFixed(2)} + ${busy.toFixed(2)}`;
  return [
    ...[cell.pods, cell.imdsMs, cell.connections].map(String),
    mark(whole(mine.perSecond), held.perSecond),
    mark(`${percent} % of ${whole(ceiling.perSecond)}`, held.ofBare),
    ms(mine.p50Ms),
    mark(ms(mine.p99Ms), held.p99),
    mark(`${whole(mine.cpuMsPer1000)} (bare ${whole(ceiling.cpuMsPer1000)})`, held.cpu),
    mark(whole(mine.failed), mine.failed === 0),
    ...[cores(mine), cores(ceiling)],
  ];
}

const otherHead = ['pods', 'IMDS ms', 'connections', 'requests/s', 'p99', 'CPU', 'not 200 of the other'];

/** The agent's figure, the other's, and the first as a multiple of the second. */
function otherRow(cell: Compared): string[][] {
  const [mine, theirs] = [cell.by[ours], cell.by[other]];
  if (!mine || !theirs) return [];
  const ratio = (of: (figures: Figures) => number): string =>
    `${ms(of(mine))} : ${ms(of(theirs))} = ${(of(mine) / of(theirs)).toFixed(2)}`;
  return [
    [
      ...[cell.pods, cell.imdsMs, cell.connections].map(String),
      ratio(({ perSecond }) => perSecond),
      ratio(({ p99Ms }) => p99Ms),
      ratio(({ cpuMsPer1000 }) => cpuMsPer1000),
      whole(theirs.failed),
    ],
  ];
}

function findingsOf({ upstream, moments, resident }: AgentFigures): Finding[] {
  const { idleMb, loadedMb, firstTokenMs, assignedMs } = targets;
  const spread = (times: readonly number[]): string =>
    [times[0], times[Math.floor(times.length / 2)], times.at(-1)].map((time) => ms(time ?? 0)).join(', ');
  const mb = (what: string, found: number, most: number): Finding => ({
    ...{ what: `${what} (at most ${most} MB)`, found: `${found.toFixed(1)} MB`, held: found <= most },
  });
  const assignedMost = moments.assigned.at(-1) ?? Number.NaN;
  const firstMost = moments.firstToken.at(-1) ?? Number.NaN;
  return [
    ...upstreamFindings(upstream),
    { what: 'start to ready: least, median, most', found: `${spread(moments.ready)} ms` },
    {
      what: `start to first token (at most ${firstTokenMs} ms)`,
      ...{ found: `${spread(moments.firstToken)} ms`, held: firstMost <= firstTokenMs },
    },
    {
      what: `identity assigned to waiting request answered (at most ${assignedMs} ms)`,
      ...{ found: `${spread(moments.assigned)} ms`, held: assignedMost <= assignedMs },
    },
    mb('resident, idle', resident.idle, idleMb),
    mb(`resident after ${resident.requests / 10} requests`, resident.loaded, loadedMb),
    mb(
      `resident after ${resident.requests} more, at ${whole(resident.perSecond)}/s`,
      resident.atEnd,
      loadedMb,
    ),
  ];
}

function upstreamFindings({ cold, coldPods, passed }: AgentFigures['upstream']): Finding[] {
  const { callsForOneToken, imds, passThrough } = targets;
  return [
    ...cold.map(({ imdsMs, calls, slowestMs, perSecond, failed }) => ({
      what: `10,000 requests for a new token, IMDS at ${imdsMs} ms (${callsForOneToken} call)`,
      found: `calls: ${calls}; slowest answer ${ms(slowestMs)} ms, ${whole(perSecond)}/s`,
      held: calls === callsForOneToken && failed === 0,
    })),
    {
      what: `${coldPods.pods} pods cold, each its own token (${imds.inFlight} in flight, ${imds.perSecond} a second)`,
      found: `${coldPods.mostInFlight} in flight, ${coldPods.mostInASecond} a second; all after ${coldPods.seconds.toFixed(1)} s`,
      held:
        coldPods.failed === 0 &&
        coldPods.mostInFlight <= imds.inFlight &&
        coldPods.mostInASecond <= imds.perSecond,
    },
    ...passed.map(({ connections, figures, calls }) => ({
      what: `passed through, ${connections} connections (${passThrough.perSecond}/s)`,
      found: `${whole(figures.perSecond)}/s by ${calls} calls in 3 s, p50 ${ms(figures.p50Ms)} ms, p99 ${ms(figures.p99Ms)}`,
      held: figures.perSecond >= passThrough.perSecond,
    })),
  ];
}
