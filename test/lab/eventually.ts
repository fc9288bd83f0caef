import { setTimeout as sleep } from 'node:timers/promises';

/** How long tests wait for the kernel or for a process before they give up, ms. */
const patienceMs = 20_000;

/**
 * Looks until `condition` gives something truthy and returns that; the one way in which tests wait for what tells no event.
 * Rejects with `what` when it has not come true in time; a condition that throws counts as not yet, its last error is told.
 */
export async function eventually<T>(
  what: string,
  condition: () => T | Promise<T>,
  { withinMs = patienceMs, everyMs = 20 } = {},
): Promise<NonNullable<T>> {
  const deadline = performance.now() + withinMs;
  let cause: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadline)
      throw new Error(`gave up after ${withinMs} ms waiting until ${what}`, { cause });
    await sleep(everyMs);
  }
}
