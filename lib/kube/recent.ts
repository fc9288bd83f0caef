import type { Clock } from '../platform/clock.ts';

/** Keys that are remembered for a while, and then forgotten. Bounded: beyond `most` keys it takes no new ones. */
export class Recent {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #most: number;
  /** Until when, ms of the monotonic clock. In the order of being added, so the first is the first to go. */
  readonly #until = new Map<string, number>();

  constructor(clock: Clock, ms: number, most = 1_024) {
    this.#clock = clock;
    this.#ms = ms;
    this.#most = most;
  }

  has(key: string): boolean {
    this.#forget();
    return this.#until.has(key);
  }

  /** Remembers `key`, which must not be there; false when there is no room. */
  add(key: string): boolean {
    this.#forget();
    if (this.#until.size >= this.#most) return false;
    this.#until.set(key, this.#clock.monotonic() + this.#ms);
    return true;
  }

  #forget(): void {
    const now = this.#clock.monotonic();
    for (const [key, until] of this.#until) {
      if (now < until) return;
      this.#until.delete(key);
    }
  }
}
