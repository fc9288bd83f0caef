import type { Clock } from '../platform/clock.ts';

export interface TurnsOptions {
  readonly clock: Clock;
  /** Requests a second; `--clientQps`. As many may come at once after a pause. */
  readonly qps: number;
  /** Requests under way at once in one lane; `--createDeleteBatch`. */
  readonly perLane: number;
}

interface Waiting {
  readonly lane: string;
  /** Runs the work; its end is the turn's. */
  readonly start: () => Promise<void>;
}

/** The connection must open some more (`connections`): each watch keeps one. */
const mostAtOnce = 40;

/**
 * Whose request goes next to the API server: so many a second, so many at once, and lanes that wait take turns, so that a
 * machine with a thousand pods holds up none with one.
 */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #burst: number;
  /** In the order of their turns; no lane is empty. */
  readonly #lanes = new Map<string, Waiting[]>();
  readonly #underWay = new Map<string, number>();
  #atOnce = 0;
  #left: number;
  #leftAt: number;
  #armed = false;

  constructor(options: TurnsOptions) {
    this.#options = options;
    this.#burst = Math.max(1, options.qps);
    this.#left = this.#burst;
    this.#leftAt = options.clock.monotonic();
  }

  /** Runs `work` when its turn has come. Rejects with the signal's reason when it aborts before. */
  async run<T>(lane: string, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    signal.throwIfAborted();
    const start = (): Promise<void> => {
      signal.removeEventListener('abort', leave);
      return work().then(resolve, reject);
    };
    const waiting = { lane, start };
    const leave = (): void => {
      this.#remove(waiting);
      reject(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    const queue = this.#lanes.get(lane);
    if (queue) queue.push(waiting);
    else this.#lanes.set(lane, [waiting]);
    this.#serve();
    return promise;
  }

  #serve(): void {
    this.#refill();
    while (this.#left >= 1 && this.#atOnce < mostAtOnce) {
      const next = this.#next();
      if (!next) return;
      this.#left -= 1;
      this.#count(next.lane, 1);
      void next.start().finally(() => {
        this.#count(next.lane, -1);
        this.#serve();
      });
    }
    if (this.#left < 1 && this.#lanes.size > 0) this.#arm();
  }

  /** Of the first lane that may have one more request under way; it goes to the end of the line. */
  #next(): Waiting | undefined {
    for (const [lane, queue] of this.#lanes) {
      if ((this.#underWay.get(lane) ?? 0) >= this.#options.perLane) continue;
      const waiting = queue.shift();
      this.#lanes.delete(lane);
      if (queue.length > 0) this.#lanes.set(lane, queue);
      return waiting;
    }
    return undefined;
  }

  #refill(): void {
    const now = this.#options.clock.monotonic();
    const earned = ((now - this.#leftAt) / 1000) * this.#options.qps;
    this.#left = Math.min(this.#burst, this.#left + earned);
    this.#leftAt = now;
  }

  /** One timer, for when the next request may go. */
  #arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    const ms = Math.ceil(((1 - this.#left) / this.#options.qps) * 1000);
    this.#options.clock.after(ms, () => {
      this.#armed = false;
      this.#serve();
    });
  }

  #count(lane: string, change: 1 | -1): void {
    this.#atOnce += change;
    const now = (this.#underWay.get(lane) ?? 0) + change;
    if (now === 0) this.#underWay.delete(lane);
    else this.#underWay.set(lane, now);
  }

  #remove(waiting: Waiting): void {
    const others = (this.#lanes.get(waiting.lane) ?? []).filter((each) => each !== waiting);
    if (others.length > 0) this.#lanes.set(waiting.lane, others);
    else this.#lanes.delete(waiting.lane);
  }
}
