import type { Clock } from '../platform/clock.ts';
import { Budget, type Rate } from './budget.ts';
import { type Answer, refuse } from './reply.ts';

/**
 * Far above any real pod: 50 processes that start together, each with a probe and tokens for four resources tried twice,
 * are 450 requests, and then SDKs keep their tokens for hours. Far below what the agent answers (over 11,000 a second), so
 * that a pod that floods has one part in 50 of it. It counts only while somebody else asks, too: a pod that has the node to
 * itself takes from nobody.
 */
export const usualRate: Rate = { burst: 500, perSecond: 200 };
/** How long an address that asked counts as somebody else, ms. */
const othersMs = 10_000;

/** Of the 2,000 requests that may wait for identities at once, an eighth. */
const mostInFlight = 256;

/**
 * What one address may ask of the listener. It is looked at before the path and all else, because a flood costs the same
 * whatever it asks for: an answer and a log line. That counts SDK probes, too; no client has so many.
 */
export class Quota {
  readonly #clock: Clock;
  readonly #budget: Budget;
  readonly #isSomebody: (address: string) => boolean;
  readonly #inFlight = new Map<string, number>();
  /** Who asked last, and the last who is not that one. */
  #last = { address: '', at: Number.NEGATIVE_INFINITY };
  #lastOther = this.#last;

  /** `isSomebody`: an address that others must make room for; the agent asks itself now and then, from one that is none. */
  constructor(clock: Clock, rate: Rate, isSomebody: (address: string) => boolean) {
    this.#clock = clock;
    this.#budget = new Budget(rate);
    this.#isSomebody = isSomebody;
  }

  /** Takes a request in, which must `leave` when it is over, or gives the answer that refuses it. */
  enter(address: string): Answer | undefined {
    const inFlight = this.#inFlight.get(address) ?? 0;
    if (inFlight >= mostInFlight) return refuse('too-many-in-flight');
    const now = this.#clock.monotonic();
    const isAlone = this.#isAlone(address, now);
    // An address that is alone uses its budget up as well, and is held to it as soon as another comes.
    if (!this.#budget.take(address, now) && !isAlone) return refuse('too-many-requests');
    this.#inFlight.set(address, inFlight + 1);
    return undefined;
  }

  /** Nobody else has asked lately. Notes that this address has. */
  #isAlone(address: string, now: number): boolean {
    if (this.#last.address !== address) {
      if (!this.#isSomebody(address)) return now - this.#last.at > othersMs;
      this.#lastOther = this.#last;
    }
    this.#last = { address, at: now };
    return now - this.#lastOther.at > othersMs;
  }

  leave(address: string): void {
    const left = (this.#inFlight.get(address) ?? 1) - 1;
    if (left === 0) this.#inFlight.delete(address);
    else this.#inFlight.set(address, left);
  }
}
