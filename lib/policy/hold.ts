import type { Decision } from '../model/decision.ts';
import type { Clock, Timer } from '../platform/clock.ts';

interface Waiter {
  readonly look: () => Decision;
  readonly deadline: number;
  /** These end the wait. */
  readonly resolve: (decision: Decision) => void;
  readonly reject: (error: unknown) => void;
}

/** More than any node's pods ask for at once; beyond it a request is told at once to come again. */
const mostWaiters = 2_000;

/**
 * Requests that wait for an identity to arrive. Nothing is polled: a change of the books looks at all of them once, however
 * many changes come together, and one timer ends those whose time is over.
 */
export class Hold {
  readonly #clock: Clock;
  readonly #waiters = new Set<Waiter>();
  #timer: { readonly at: number; readonly timer: Timer } | undefined;
  #sweepDue = false;
  #ended = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many wait now. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /**
   * The first decision by `look` that is not `wait`, or a last one when `ms` are over; the first one of all when `signal`
   * aborts. Rejects as `look` throws, for this waiter alone.
   */
  async until(look: () => Decision, ms: number, signal: AbortSignal): Promise<Decision> {
    const first = look();
    const full = this.#ended || this.#waiters.size >= mostWaiters;
    if (first.kind !== 'wait' || ms <= 0 || signal.aborted || full) return first;
    return new Promise((resolve, reject) => {
      const leave = (): void => waiter.resolve(first);
      const end = (): void => {
        signal.removeEventListener('abort', leave);
        this.#remove(waiter);
      };
      const waiter: Waiter = {
        look,
        deadline: this.#clock.monotonic() + ms,
        resolve: (decision) => {
          end();
          resolve(decision);
        },
        reject: (error) => {
          end();
          reject(error);
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiters.add(waiter);
      this.#arm(waiter.deadline);
    });
  }

  /** Something in the books has changed. */
  changed(): void {
    if (this.#sweepDue || this.#waiters.size === 0) return;
    this.#sweepDue = true;
    // Behind the other events of the same chunk: a relist of 500 objects is one look, not 500.
    this.#clock.after(0, () => {
      this.#sweepDue = false;
      for (const waiter of this.#waiters) this.#judge(waiter);
    });
  }

  /** The agent is ending: all that wait get their last decision now, and nobody waits any more. */
  end(): void {
    this.#ended = true;
    for (const waiter of this.#waiters) this.#judge(waiter);
  }

  #judge({ look, deadline, resolve, reject }: Waiter): void {
    try {
      const decision = look();
      const over = this.#ended || deadline <= this.#clock.monotonic();
      if (over || decision.kind !== 'wait') resolve(decision);
    } catch (error) {
      reject(error);
    }
  }

  /** One timer, for the earliest deadline. */
  #arm(at: number): void {
    if (this.#timer && this.#timer.at <= at) return;
    this.#timer?.timer.cancel();
    this.#timer = { at, timer: this.#clock.after(at - this.#clock.monotonic(), () => this.#expire()) };
  }

  /** Looks only at those whose time is over: 500 that came one by one would be looked at 125,000 times otherwise. */
  #expire(): void {
    this.#timer = undefined;
    const now = this.#clock.monotonic();
    let next = Number.POSITIVE_INFINITY;
    for (const waiter of this.#waiters) {
      if (waiter.deadline <= now) this.#judge(waiter);
      else next = Math.min(next, waiter.deadline);
    }
    if (next < Number.POSITIVE_INFINITY) this.#arm(next);
  }

  #remove(waiter: Waiter): void {
    this.#waiters.delete(waiter);
    if (this.#waiters.size > 0) return;
    this.#timer?.timer.cancel();
    this.#timer = undefined;
  }
}
