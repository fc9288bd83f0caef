/** IMDS counts seconds; one ms more, since clocks are read in whole ones. */
const secondMs = 1_001;

export interface Limit {
  readonly inFlight: number;
  readonly perSecond: number;
}

/**
 * Calls in flight, and calls of the last second. A call counts until a second after its end: nobody knows when between its
 * start and its end it arrived, so this alone is never more than `perSecond` in any second as the other side counts it,
 * whatever held the packets up. Times are ms of one monotonic clock.
 */
export class Allowance {
  readonly #limit: Limit;
  /** When calls ended, the oldest first; not more than `perSecond`. */
  #ended: number[] = [];
  #inFlight = 0;

  constructor(limit: Limit) {
    this.#limit = limit;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  isFree(now: number): boolean {
    this.#ended = this.#ended.filter((at) => now - at < secondMs);
    const { inFlight, perSecond } = this.#limit;
    return this.#inFlight < inFlight && this.#inFlight + this.#ended.length < perSecond;
  }

  /** When to look again, if it is not free now; infinity when only the end of a call can make it free. */
  freeAt(): number {
    const { inFlight, perSecond } = this.#limit;
    if (this.#inFlight >= inFlight) return Number.POSITIVE_INFINITY;
    const surplus = this.#inFlight + this.#ended.length - perSecond;
    return surplus < 0 ? Number.NEGATIVE_INFINITY : (this.#ended[surplus] ?? 0) + secondMs;
  }

  begin(): void {
    this.#inFlight += 1;
  }

  /** `made`: it was sent, as far as anybody can tell. */
  end(now: number, made: boolean): void {
    this.#inFlight -= 1;
    if (made) this.count(now);
  }

  /** A call that was made beside. */
  count(now: number): void {
    this.#ended.push(now);
  }
}
