import type { Clock } from './clock.ts';

/** Waits for `event`, at most `ms`, and no longer than `signal`. True when the event came. Rejects only if `event` does. */
export async function waitFor(
  event: Promise<unknown>,
  ms: number,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<boolean> {
  const over = new AbortController();
  const timeout = clock.sleep(ms, AbortSignal.any([signal, over.signal])).then(() => false);
  try {
    return await Promise.race([event.then(() => true), timeout]);
  } finally {
    over.abort();
  }
}
