import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { aligned } from './aligned.ts';
import { bytesIn, type Growth, growthOf, heapOf, snapshotOptions } from './memory-heap.ts';
import { crowdedLab, load, podKubeconfig } from './memory-scene.ts';

const pods = 110;
const connections = 64;
/** What a heap may keep of all requests together, MB: caches that fill and code that is compiled, not a byte per request. */
export const mostKeptMb = 1;

export interface Kept {
  readonly requests: number;
  /** After a tenth of the requests, and after all of them; each behind a full collection. */
  readonly before: number;
  readonly after: number;
  /** What there is more of, most bytes first. */
  readonly growth: readonly Growth[];
}

/** Compares what is left in the agent's heap after some requests with what is left after ten times as many more. */
export async function benchMemory(
  program: string,
  requests: number,
  tell: (what: string) => void,
): Promise<Kept> {
  const lab = await crowdedLab(pods);
  try {
    const env = { KUBECONFIG: podKubeconfig(lab), NODE_OPTIONS: snapshotOptions(lab.folder) };
    const agent = lab.startAgent({ program, env });
    await agent.ready();
    const run = async (count: number): Promise<void> => {
      const { seconds, outcomes } = await load(lab, count, connections);
      // The log of a million requests is a third of a gigabyte.
      truncateSync(join(lab.folder, 'agent1.log'));
      tell(`${count} requests: ${Math.round(count / seconds)}/s, ${JSON.stringify(outcomes)}`);
    };
    await run(requests / 10);
    const first = await heapOf(agent.pid, lab.folder);
    await run(requests);
    const last = await heapOf(agent.pid, lab.folder);
    await agent.stop();
    return { requests, before: bytesIn(first), after: bytesIn(last), growth: growthOf(first, last) };
  } finally {
    lab.down();
  }
}

const shown = 10;

/** Missed: more kept than may be, or a kind of which there is one more for every hundred requests. */
export function memoryReport({ requests, before, after, growth }: Kept): { text: string; missed: number } {
  const mb = (bytes: number): string => `${(bytes / 1024 ** 2).toFixed(2)} MB`;
  const isTooMuch = after - before > mostKeptMb * 1024 ** 2;
  const leaks = growth.filter(({ count }) => count >= requests / 100);
  const mark = (is: boolean): string => (is ? ' MISSED' : '');
  const rows = [
    [`heap after ${requests / 10} requests`, mb(before)],
    [`heap after ${requests} more (at most ${mostKeptMb} MB more)`, `${mb(after)}${mark(isTooMuch)}`],
    ...growth.slice(0, shown).map((one) => {
      return [
        `  more ${one.kind.slice(0, 50)}`,
        `${one.count}, ${mb(one.bytes)}${mark(leaks.includes(one))}`,
      ];
    }),
  ];
  return { text: aligned(rows), missed: leaks.length + (isTooMuch ? 1 : 0) };
}
