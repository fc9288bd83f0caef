import { rename, writeFile } from 'node:fs/promises';
import { uptime } from 'node:os';
import { messageOf } from '../model/errors.ts';
import type { Clock } from './clock.ts';
import type { Logger } from './log.ts';

/** Between two writings, ms. bin/probe takes a file that is older than 15 s for a process that hangs. */
const everyMs = 2_000;

export interface ProbeFileOptions {
  /** '' for none. Its folder must be there. */
  readonly path: string;
  /** One sentence for each thing that is not as it should be; none means ready. */
  readonly problems: () => readonly string[];
  readonly clock: Clock;
  readonly log: Pick<Logger, 'warn'>;
  readonly ending: AbortSignal;
}

/**
 * Keeps a file by which bin/probe tells the kubelet whether this very process lives and is ready, where a port may be held by
 * another agent of the node: the node's uptime in whole seconds when it was written, then a line for each problem. Whole at any
 * moment. A file that cannot be written is told once, and tried again. Resolves when `ending` aborts.
 */
export async function keepProbeFile(options: ProbeFileOptions): Promise<void> {
  const { path, problems, clock, log, ending } = options;
  let inTrouble = false;
  while (!ending.aborted) {
    try {
      if (path !== '') await replace(path, pageOf(problems()));
      inTrouble = false;
    } catch (error) {
      if (!inTrouble) log.warn({ path, why: messageOf(error) }, 'probe file not written');
      inTrouble = true;
    }
    await clock.sleep(everyMs, ending);
  }
}

/** The uptime, since the kernel tells it to a shell as well, and it goes neither back nor ahead when the clock is set. */
function pageOf(problems: readonly string[]): string {
  const lines = problems.map((problem) => problem.replaceAll(/\s+/g, ' '));
  return [`${Math.floor(uptime())}`, ...lines, ''].join('\n');
}

async function replace(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}
