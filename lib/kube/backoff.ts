import { isAppError } from '../model/errors.ts';

const firstMs = 500;
const maxMs = 30_000;
/** A server that asks for hours would make us deaf for hours. */
const maxRetryAfterMs = 120_000;

/**
 * The pause before the next try, ms: doubles from half a second to half a minute with the failures in a row (1 for the
 * first), the later half of it at random. `random` is 0 to 1.
 */
export function backoffMs(failures: number, random: () => number): number {
  const ceiling = Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 16));
  return ceiling * (0.5 + 0.5 * random());
}

/**
 * What a refusal's Retry-After asks for, ms, two minutes at most; 0 when it asks for nothing. The API server sends seconds.
 */
export function retryAfterMs(error: unknown): number {
  const header = isAppError(error) ? error.answer?.retryAfter : undefined;
  return header !== undefined && /^\d{1,9}$/.test(header)
    ? Math.min(Number(header) * 1000, maxRetryAfterMs)
    : 0;
}
