import type { Clock } from '../platform/clock.ts';
import type { Change } from './identity-patch.ts';
import { pauseMs, slowly } from './pause.ts';

/** Changes of one machine that ARM has refused, and when each may be tried again. */
export class Setbacks {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #refused = new Map<string, { readonly failures: number; readonly untilMs: number }>();

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /** How long the change has to wait, ms; 0 when it may be tried. */
  waitMs(change: Change): number {
    const untilMs = this.#refused.get(keyOf(change))?.untilMs ?? 0;
    return Math.max(0, untilMs - this.#clock.monotonic());
  }

  /** Gives how long it has to wait now, ms. */
  refused(change: Change): number {
    const failures = (this.#refused.get(keyOf(change))?.failures ?? 0) + 1;
    const ms = pauseMs(slowly, failures, this.#random);
    this.#refused.set(keyOf(change), { failures, untilMs: this.#clock.monotonic() + ms });
    return ms;
  }

  done(change: Change): void {
    this.#refused.delete(keyOf(change));
  }

  /** Forgets changes that nobody wants any more: who asks anew has a reason to. */
  keep(changes: Iterable<Change>): void {
    const wanted = new Set([...changes].map(keyOf));
    for (const key of this.#refused.keys()) if (!wanted.has(key)) this.#refused.delete(key);
  }
}

function keyOf({ id, to }: Change): string {
  return `${to} ${id}`;
}
