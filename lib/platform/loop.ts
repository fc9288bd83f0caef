import type { Clock } from './clock.ts';

export interface LoopOptions {
  readonly clock: Clock;
  /** Runs `work` at least this often, ms. */
  readonly everyMs: number;
  /** After a failure, tries again this soon, ms. */
  readonly retryMs: number;
  /** Never starts `work` again sooner than this after its last start, ms; wake-ups in between become one. */
  readonly minMs: number;
  /** 0 to 1, as Math.random; spreads the pauses by up to 10 % so that nodes do not beat together. */
  readonly random: () => number;
  readonly onError: (error: unknown) => void;
}

/**
 * A level-triggered loop: `work` looks at the world and mends it. Wake-ups while it runs or rests coalesce into one.
 * A failing `work` never ends the loop.
 */
export class Loop {
  readonly #work: () => Promise<void>;
  readonly #options: LoopOptions;
  #wake: (() => void) | undefined;
  #asked = false;

  constructor(work: () => Promise<void>, options: LoopOptions) {
    this.#work = work;
    this.#options = options;
  }

  /** Asks for a run as soon as `minMs` allows. */
  trigger(): void {
    this.#asked = true;
    this.#wake?.();
  }

  /** Runs until `signal` aborts; resolves then. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, everyMs, retryMs, minMs, random, onError } = this.#options;
    while (!signal.aborted) {
      const started = clock.monotonic();
      this.#asked = false;
      let pause = everyMs;
      try {
        await this.#work();
      } catch (error) {
        pause = retryMs;
        onError(error);
      }
      await this.#rest(pause * (1 - 0.1 * random()), signal);
      const early = started + minMs - clock.monotonic();
      if (early > 0) await clock.sleep(early, signal);
    }
  }

  async #rest(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#asked) return;
    const awake = new AbortController();
    this.#wake = () => awake.abort();
    await this.#options.clock.sleep(ms, AbortSignal.any([signal, awake.signal]));
    this.#wake = undefined;
  }
}
