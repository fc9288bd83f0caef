import type { Clock } from './clock.ts';

/**
 * Something that many wait for and that happens once. Who leaves before is forgotten: a reaction on one shared promise
 * would stay in memory for every request that ever waited.
 */
export class Gate {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #open = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many wait now. */
  get waiting(): number {
    return this.#waiting.size;
  }

  open(): void {
    this.#open = true;
    for (const pass of this.#waiting) pass();
  }

  /** True as soon as the gate is open; false when `ms` are over or `signal` aborts before. */
  wait(ms: number, signal: AbortSignal): Promise<boolean> {
    if (this.#open || signal.aborted) return Promise.resolve(this.#open);
    return new Promise((resolve) => {
      const end = (passed: boolean): void => {
        timer.cancel();
        signal.removeEventListener('abort', leave);
        this.#waiting.delete(pass);
        resolve(passed);
      };
      const pass = (): void => end(true);
      const leave = (): void => end(false);
      const timer = this.#clock.after(ms, leave);
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.add(pass);
    });
  }
}
