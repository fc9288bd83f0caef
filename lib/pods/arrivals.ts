import type { Clock } from '../platform/clock.ts';
import { Gate } from '../platform/gate.ts';

/**
 * An init container runs before the API knows its pod's address: the kubelet looks at its pods once a second, and reports
 * after that. The original looked five times in 1.2 s; ms.
 */
const comingMs = 2_000;
/** Requests of pods that start. Beyond it somebody floods, and is told at once to come again. */
const mostWaiting = 256;
/** Of one address: SDKs of a pod that starts ask a few times at once. One that floods leaves room for the others. */
const mostPerAddress = 32;

/** Requests from addresses that no pod is known to have: each waits a moment for its pod to be told of. */
export class Arrivals {
  readonly #clock: Clock;
  readonly #gates = new Map<string, Gate>();
  #waiting = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** True as soon as a pod claims the address; false when its time is over, `signal` aborts, or too many wait. */
  async wait(ip: string, signal: AbortSignal): Promise<boolean> {
    const gate = this.#gates.get(ip) ?? new Gate(this.#clock);
    if (this.#waiting >= mostWaiting || gate.waiting >= mostPerAddress) return false;
    this.#gates.set(ip, gate);
    this.#waiting += 1;
    try {
      return await gate.wait(comingMs, signal);
    } finally {
      this.#waiting -= 1;
      if (gate.waiting === 0 && this.#gates.get(ip) === gate) this.#gates.delete(ip);
    }
  }

  /** A pod claims this address now. */
  came(ip: string): void {
    this.#gates.get(ip)?.open();
    this.#gates.delete(ip);
  }
}
