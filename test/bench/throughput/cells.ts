import { type Candidate, type Contender, contender } from './contender.ts';
import { failedOf, type Load, type Loaded, load, tokenPath } from './load.ts';

/** One way of asking. */
export interface Cell {
  readonly pods: number;
  readonly imdsMs: number;
  readonly connections: number;
}

/** Means of the rounds. */
export interface Figures extends Pick<Loaded, 'perSecond' | 'p50Ms' | 'p99Ms' | 'cpuMsPer1000'> {
  /** Cores that the server took, and the load. */
  readonly serverBusy: number;
  readonly busy: number;
  /** Of all rounds: requests that were not answered 200, and connections that failed. */
  readonly failed: number;
}

/** By the contender's name. */
export type Compared = Cell & { readonly by: Readonly<Record<string, Figures>> };

export interface CellsBench {
  readonly candidates: readonly Candidate[];
  readonly rounds: number;
  /** Of each measurement. */
  readonly seconds: number;
  readonly tell: (what: string) => void;
}

const warmSeconds = 2;

/** Tokens that are cached: contenders side by side, asked in turn as often as there are rounds. */
export async function benchCells(
  bench: CellsBench,
  pods: number,
  imdsMs: readonly number[],
  connections: readonly number[],
): Promise<readonly Compared[]> {
  const { candidates, tell } = bench;
  tell(`cached tokens, ${pods === 1 ? 'one pod' : `${pods} pods`}`);
  const all: Contender[] = [];
  for (const candidate of candidates) all.push(await contender(candidate, pods));
  for (const one of all) await load(one, { path: tokenPath(), connections: 64, seconds: warmSeconds });
  const compared: Compared[] = [];
  for (const latencyMs of imdsMs) {
    for (const { lab } of all) await lab.imds.configure({ latencyMs });
    for (const count of connections) {
      const given = { path: tokenPath(), connections: count, seconds: bench.seconds };
      const by = await inTurn(all, bench.rounds, given);
      compared.push({ pods, imdsMs: latencyMs, connections: count, by });
    }
  }
  for (const { lab } of all) lab.down();
  return compared;
}

/** A B A B. */
async function inTurn(
  all: readonly Contender[],
  rounds: number,
  given: Load,
): Promise<Readonly<Record<string, Figures>>> {
  const loads = all.map((): Loaded[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [at, one] of all.entries()) loads[at]?.push(await load(one, given));
  }
  return Object.fromEntries(all.map(({ name }, at) => [name, figuresOf(loads[at] ?? [])]));
}

export function figuresOf(loads: readonly Loaded[]): Figures {
  const mean = (of: (one: Loaded) => number): number =>
    loads.reduce((sum, one) => sum + of(one), 0) / loads.length;
  return {
    perSecond: mean(({ perSecond }) => perSecond),
    p50Ms: mean(({ p50Ms }) => p50Ms),
    p99Ms: mean(({ p99Ms }) => p99Ms),
    cpuMsPer1000: mean(({ cpuMsPer1000 }) => cpuMsPer1000),
    serverBusy: mean(({ serverBusy }) => serverBusy),
    busy: mean(({ busy }) => busy),
    failed: loads.reduce((sum, one) => sum + failedOf(one), 0),
  };
}
