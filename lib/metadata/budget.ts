/** A bucket of `burst` requests that fills again at `perSecond`. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/**
 * How often each address may ask. Pure but for what it remembers: one number per address, the time at which its bucket is
 * full again. Addresses whose bucket is full are forgotten, so it holds those alone that asked in the last few seconds.
 */
export class Budget {
  readonly #perRequestMs: number;
  readonly #fillMs: number;
  readonly #fullAt = new Map<string, number>();
  #sweepAt = 0;

  constructor({ burst, perSecond }: Rate) {
    this.#perRequestMs = 1000 / perSecond;
    this.#fillMs = burst * this.#perRequestMs;
  }

  /** Whether this request may be, at `nowMs` of a monotonic clock. One that may not costs nothing. */
  take(address: string, nowMs: number): boolean {
    this.#sweep(nowMs);
    const fullAt = Math.max(this.#fullAt.get(address) ?? 0, nowMs) + this.#perRequestMs;
    if (fullAt - nowMs > this.#fillMs) return false;
    this.#fullAt.set(address, fullAt);
    return true;
  }

  /** How many addresses it remembers. */
  get size(): number {
    return this.#fullAt.size;
  }

  /** Once in the time that an empty bucket needs to fill: a look at each address per `burst` requests at most. */
  #sweep(nowMs: number): void {
    if (nowMs < this.#sweepAt) return;
    this.#sweepAt = nowMs + this.#fillMs;
    for (const [address, fullAt] of this.#fullAt) if (fullAt <= nowMs) this.#fullAt.delete(address);
  }
}
