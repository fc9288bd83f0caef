import type { Clock } from '../../../lib/platform/clock.ts';
import type { Limit } from './types.ts';

interface Window {
  readonly until: number;
  reads: number;
  writes: number;
}

/** What is left after a request, for its headers; `waitSec` when it was one too many. */
export interface Taken {
  readonly left: number;
  readonly waitSec: number | undefined;
}

/** Counts requests by subscription, in windows. */
export class Limits {
  readonly #clock: Clock;
  readonly #windows = new Map<string, Window>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Undefined where there is no limit. */
  take(subscription: string, kind: 'reads' | 'writes', limit: Limit | undefined): Taken | undefined {
    if (!limit) return undefined;
    const now = this.#clock.monotonic();
    let window = this.#windows.get(subscription);
    if (!window || window.until <= now) {
      window = { until: now + limit.windowSec * 1000, reads: 0, writes: 0 };
      this.#windows.set(subscription, window);
    }
    window[kind] += 1;
    const left = limit[kind] - window[kind];
    return {
      left: Math.max(0, left),
      waitSec: left < 0 ? Math.ceil((window.until - now) / 1000) : undefined,
    };
  }
}
