import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeOf } from '../../lab/network.ts';
import { ready, startProcess } from '../../lab/processes.ts';
import { cpuOf } from './cpu.ts';
import type { Place } from './place.ts';

/** Shares of one core, percent. */
export interface Share {
  /** The process itself and its children. */
  readonly percent: number;
  /** Of that, the children. */
  readonly childrenPercent: number;
}

export interface IdleShares {
  /**
   * The keeper at its own pace, in a process that does nothing else. In the agent it costs more, since Node forks: each child
   * costs 1.4 ms of CPU for every 100 MB of its parent (measured), and this program is smaller than the agent.
   */
  readonly keeper: Share;
  /** An agent that serves nobody: the keeper, the watches, the probes and the timers of all the rest. */
  readonly agent: Share;
}

/** For what a start leaves to be done, ms. */
const settleMs = 5_000;

export async function measureIdle(place: Place, seconds: number): Promise<IdleShares> {
  const keeper = await keeperShare(place, seconds);
  const agent = place.lab.startAgent({ backend: place.backend });
  await agent.ready();
  const share = await shareOf(agent.pid, seconds);
  await agent.stop('SIGKILL');
  return { keeper, agent: share };
}

async function keeperShare({ lab, backend }: Place, seconds: number): Promise<Share> {
  const program = join(import.meta.dirname, 'keeper-program.ts');
  const keeper = startProcess({
    namespace: nodeOf(lab.id),
    command: [process.execPath, program, backend, 'mangle'],
    log: join(lab.folder, 'keeper.log'),
  });
  await ready('the keeper', keeper);
  const share = await shareOf(keeper.pid, seconds);
  await keeper.stop('SIGKILL');
  return share;
}

async function shareOf(pid: number, seconds: number): Promise<Share> {
  await sleep(settleMs);
  const [before, began] = [cpuOf(pid), performance.now()];
  await sleep(seconds * 1000);
  const [after, ended] = [cpuOf(pid), performance.now()];
  const share = (ms: number): number => (100 * ms) / (ended - began);
  const childrenPercent = share(after.children - before.children);
  return { childrenPercent, percent: childrenPercent + share(after.own - before.own) };
}
