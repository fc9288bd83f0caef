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

/**
 * What `work` gives, or a rejection with the signal's reason as soon as it aborts. For work that is told by the same signal but
 * may be slow to notice: undici's `request` leaves an aborted request pending while it connects or waits for a connection
 * (8.x, 10 s where packets are swallowed).
 */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
