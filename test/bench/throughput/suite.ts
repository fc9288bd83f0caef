import { benchCells, type Compared } from './cells.ts';
import type { Candidate } from './contender.ts';
import { benchMoments, type Moments } from './moments.ts';
import { benchResident, type ResidentFigures } from './resident.ts';
import { benchUpstream, type UpstreamFigures } from './upstream.ts';

export const ours = 'agent';
export const other = 'other';
export const bare = 'bare server';

/** What is measured of an agent alone. */
export interface AgentFigures {
  readonly upstream: UpstreamFigures;
  readonly moments: Moments;
  readonly resident: ResidentFigures;
}

export interface SuiteFigures {
  /** Each with the agent, the bare server, and the other agent if there is one. */
  readonly cells: readonly Compared[];
  /** By the agent's name. */
  readonly agents: Readonly<Record<string, AgentFigures>>;
}

export interface SuiteBench {
  /** The launcher of the built agent, and of another one to measure it against. */
  readonly program: string;
  readonly against: string | undefined;
  /** Of each measurement of throughput. */
  readonly seconds: number;
  /** Before memory is looked at for the last time. */
  readonly requests: number;
  readonly tell: (what: string) => void;
}

/** As many as a node has at most, unless its kubelet was told otherwise. */
const manyPods = 110;
const connections = [1, 16, 64] as const;
const imdsMs = [0, 20] as const;
const rounds = 2;
const starts = 5;

export async function benchSuite(bench: SuiteBench): Promise<SuiteFigures> {
  const { program, against, seconds, tell } = bench;
  const agents: Candidate[] = [
    { name: ours, program },
    ...(against === undefined ? [] : [{ name: other, program: against }]),
  ];
  const candidates = [...agents, { name: bare }];
  const cells: Compared[] = [];
  for (const pods of [1, manyPods]) {
    cells.push(...(await benchCells({ candidates, rounds, seconds, tell }, pods, imdsMs, connections)));
  }
  const figures: [string, AgentFigures][] = [];
  for (const agent of agents) figures.push([agent.name, await benchAgent(agent, bench)]);
  return { cells, agents: Object.fromEntries(figures) };
}

async function benchAgent(agent: Candidate, { requests, tell }: SuiteBench): Promise<AgentFigures> {
  tell(`${agent.name}: what IMDS is asked`);
  const upstream = await benchUpstream(agent, manyPods, connections);
  tell(`${agent.name}: starts, and an identity that is waited for`);
  const moments = await benchMoments(agent, manyPods, starts);
  tell(`${agent.name}: memory, and ${requests} requests`);
  return { upstream, moments, resident: await benchResident(agent, manyPods, requests) };
}
