import { messageOf } from '../model/errors.ts';
import type { Clock } from './clock.ts';
import type { Logger } from './log.ts';

/** Between two tries, ms. */
const againMs = 500;

/**
 * Opens the first of these that can be opened, and tries on until one can: another agent may hold the port for a while, and an
 * address may not be there yet. Says so once. Undefined when `ending` aborts before.
 */
export async function patientOpen<T>(
  opens: readonly (() => Promise<T>)[],
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
  ending: AbortSignal,
): Promise<T | undefined> {
  for (let isTold = false; !ending.aborted; isTold = true) {
    const why: string[] = [];
    for (const open of opens) {
      try {
        return await open();
      } catch (error) {
        why.push(messageOf(error));
      }
    }
    if (!isTold) log.warn({ why: why.join('; ') }, 'cannot listen; will try again');
    await clock.sleep(againMs, ending);
  }
  return undefined;
}
