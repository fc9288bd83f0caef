import type { Clock } from '../platform/clock.ts';
import type { Difference } from './compare.ts';

/** The first pause after a move, and the longest, ms. */
const firstPauseMs = 2_000;
const longestPauseMs = 60_000;
/** A rival that kept still for this long has given up, ms. */
const peaceMs = 5 * 60_000;

type JumpBehind = Extract<Difference, { kind: 'jump-behind' }>;

/** A move is the `first`, or the rival is there `again` (worth a warning), or `still` (not worth another). */
export type Stage = 'first' | 'again' | 'still';

interface Quarrel {
  /** Not before this, on the monotonic clock. */
  again: number;
  pauseMs: number;
}

/**
 * Other programs want to be first, too (Calico, firewalld). A jump of ours goes back in front at once the first time, and then
 * more and more rarely: rules that change every second serve nobody, and the guard holds meanwhile.
 */
export class Rivalry {
  readonly #clock: Clock;
  readonly #quarrels = new Map<string, Quarrel>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What of the differences is to be mended now: all but a jump that was moved a short while ago. */
  due(chain: string, differences: readonly Difference[]): readonly Difference[] {
    const now = this.#clock.monotonic();
    return differences.filter((difference) => {
      if (difference.kind !== 'jump-behind') return true;
      return now >= (this.#quarrels.get(keyOf(chain, difference))?.again ?? 0);
    });
  }

  /** To be told after each move of the jump. */
  moved(chain: string, difference: JumpBehind): Stage {
    const key = keyOf(chain, difference);
    const now = this.#clock.monotonic();
    const last = this.#quarrels.get(key);
    const goesOn = last !== undefined && now < last.again + peaceMs;
    const pauseMs = goesOn ? Math.min(2 * last.pauseMs, longestPauseMs) : firstPauseMs;
    this.#quarrels.set(key, { again: now + pauseMs, pauseMs });
    if (!goesOn) return 'first';
    return last.pauseMs === firstPauseMs ? 'again' : 'still';
  }
}

function keyOf(chain: string, { hook }: JumpBehind): string {
  return `${chain} ${hook}`;
}
