import { parseTime } from './clock.ts';

/** What a Retry-After header asks for, in ms from `nowMs` of the wall clock: seconds or a date. Undefined when it is neither. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const at = /[A-Z]/.test(header) ? parseTime(header) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
