import type { AppError } from '../model/errors.ts';
import type { Clock, Timer } from '../platform/clock.ts';

/**
 * Ends one piece of work: when the caller's signal aborts, or when an armed deadline passes. `signal.reason` tells which:
 * the caller's reason, or the AppError given to `arm`. `end` must be called once, else the caller's signal keeps us alive.
 */
export class Deadline {
  readonly #clock: Clock;
  readonly #outer: AbortSignal | undefined;
  readonly #own = new AbortController();
  #timer: Timer | undefined;

  constructor(clock: Clock, outer: AbortSignal | undefined) {
    this.#clock = clock;
    this.#outer = outer;
    if (outer?.aborted) this.#own.abort(outer.reason);
    else outer?.addEventListener('abort', this.#follow);
  }

  get signal(): AbortSignal {
    return this.#own.signal;
  }

  /** (Re)starts the time left; an earlier deadline no longer counts. */
  arm(ms: number, error: () => AppError): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.after(ms, () => this.#own.abort(error()));
  }

  /** Forgets deadline and caller. Aborts nothing. */
  end(): void {
    this.#timer?.cancel();
    this.#outer?.removeEventListener('abort', this.#follow);
  }

  readonly #follow = (): void => this.#own.abort(this.#outer?.reason);
}
