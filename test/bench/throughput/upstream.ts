import { mostInASecond } from '../../tokens/throttled-imds.ts';
import { type Figures, figuresOf } from './cells.ts';
import { type Candidate, type Contender, contender } from './contender.ts';
import { failedOf, load, tokenPath } from './load.ts';

/** What IMDS saw of a load. */
interface Seen {
  readonly calls: number;
  readonly mostInFlight: number;
  readonly mostInASecond: number;
}

/** 10,000 requests over 64 connections for one token that is not there yet. */
export interface Cold extends Seen {
  readonly imdsMs: number;
  readonly perSecond: number;
  /** Of those that wait for the call, nearly all: the slowest answer. */
  readonly slowestMs: number;
  readonly failed: number;
}

/** All pods at once, each for a token of its own. */
export interface ColdPods extends Seen {
  readonly pods: number;
  readonly seconds: number;
  readonly failed: number;
}

export interface Passed extends Seen {
  readonly connections: number;
  readonly figures: Figures;
}

export interface UpstreamFigures {
  readonly cold: readonly Cold[];
  readonly coldPods: ColdPods;
  readonly passed: readonly Passed[];
}

const document = '/metadata/instance?api-version=2021-02-01';
const coldRequests = 10_000;
const passSeconds = 3;

/** What has to be asked of IMDS, at 0 and 20 ms. */
export async function benchUpstream(
  candidate: Candidate,
  pods: number,
  connections: readonly number[],
): Promise<UpstreamFigures> {
  const one = await contender(candidate, 1);
  await load(one, { path: tokenPath(), connections: 64, seconds: 1 });
  const cold = [await coldToken(one, 0), await coldToken(one, 20)];
  const passed: Passed[] = [];
  for (const count of connections) {
    const given = { path: document, connections: count, seconds: passSeconds };
    const [loaded, seen] = await watched(one, () => load(one, given));
    passed.push({ connections: count, figures: figuresOf([loaded]), ...seen });
  }
  one.lab.down();
  return { cold, passed, coldPods: await coldPods(candidate, pods) };
}

async function coldToken(one: Contender, imdsMs: number): Promise<Cold> {
  await one.lab.imds.configure({ latencyMs: imdsMs });
  const path = tokenPath(`https://cold-${imdsMs}.example.com`);
  const given = { path, connections: 64, seconds: 20, requests: coldRequests };
  const [loaded, seen] = await watched(one, () => load(one, given));
  const { perSecond, maxMs } = loaded;
  return { imdsMs, perSecond, slowestMs: maxMs, failed: failedOf(loaded), ...seen };
}

async function coldPods(candidate: Candidate, pods: number): Promise<ColdPods> {
  const all = await contender(candidate, pods);
  await all.lab.imds.configure({ latencyMs: 20 });
  const path = tokenPath('https://pod-{n}.example.com');
  const given = { path, connections: pods, seconds: 20, requests: pods, perConnection: 1 };
  const [loaded, seen] = await watched(all, () => load(all, given));
  all.lab.down();
  return { pods, seconds: loaded.seconds, failed: failedOf(loaded), ...seen };
}

async function watched<T>({ lab }: Contender, work: () => Promise<T>): Promise<readonly [T, Seen]> {
  await lab.imds.clear();
  const result = await work();
  const { requests } = await lab.imds.log();
  return [
    result,
    {
      calls: requests.length,
      mostInFlight: Math.max(0, ...requests.map(({ inFlight }) => inFlight)),
      mostInASecond: mostInASecond(requests.map(({ at }) => at)),
    },
  ];
}
