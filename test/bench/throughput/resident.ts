import { setTimeout as sleep } from 'node:timers/promises';
import { residentOf } from '../memory-resident.ts';
import { load, podKubeconfig } from '../memory-scene.ts';
import { type Candidate, clearLog, podsLab, startReady } from './contender.ts';

/** MB resident. */
export interface ResidentFigures {
  readonly idle: number;
  readonly loaded: number;
  /** After `requests`. */
  readonly atEnd: number;
  readonly requests: number;
  /** How many of them were answered in a second. */
  readonly perSecond: number;
}

/** Until a start has been cleared away. */
const settleMs = 15_000;
const connections = 64;

/** One pod of many asks; a twentieth of its requests are mistakes of three kinds. */
export async function benchResident(
  { program = '', env = {} }: Candidate,
  pods: number,
  requests: number,
): Promise<ResidentFigures> {
  const { lab } = await podsLab(pods);
  const agent = await startReady(lab, { program, env: { KUBECONFIG: podKubeconfig(lab), ...env } });
  await sleep(settleMs);
  const idle = residentOf(agent.pid).rssMb;
  await load(lab, requests / 10, connections);
  const loaded = residentOf(agent.pid).rssMb;
  clearLog(lab);
  const { seconds } = await load(lab, requests, connections);
  const atEnd = residentOf(agent.pid).rssMb;
  lab.down();
  return { idle, loaded, atEnd, requests, perSecond: requests / seconds };
}
