import type { Clock } from '../platform/clock.ts';
import type { Written } from './apply-doors.ts';
import type { ObjectOperation } from './operation.ts';
import { pauseMs, soon } from './pause.ts';
import { keyOf } from './snapshot.ts';

interface Attempt {
  readonly version: string;
  readonly untilMs: number;
  /** In a row; 0 for what was written. */
  readonly failures: number;
}

/** A cache shows a write within milliseconds; one that has not by then may have missed it. */
const unseenMs = 30_000;
/** The API server keeps less than was written: only new CRDs help. */
const prunedMs = 60 * 60_000;

/**
 * What was written and is not in the caches yet, so that a plan which does not know of it is not followed; and what could not be
 * written, so that it is not tried all the time.
 */
export class Attempts {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #attempts = new Map<string, Attempt>();

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /** How long the operation has to wait, ms; 0 when it may run. */
  waitMs(operation: ObjectOperation): number {
    const attempt = this.#attempts.get(objectKeyOf(operation));
    if (!attempt || (attempt.failures === 0 && attempt.version !== versionOf(operation))) return 0;
    return Math.max(0, attempt.untilMs - this.#clock.monotonic());
  }

  note(operation: ObjectOperation, written: Written | 'failed'): void {
    const key = objectKeyOf(operation);
    const failures = written === 'failed' ? (this.#attempts.get(key)?.failures ?? 0) + 1 : 0;
    const ms =
      failures > 0 ? pauseMs(soon, failures, this.#random) : written === 'pruned' ? prunedMs : unseenMs;
    const untilMs = this.#clock.monotonic() + ms;
    this.#attempts.set(key, { version: versionOf(operation), untilMs, failures });
  }

  /** Forgets what a new plan shows to be seen, or not asked for any more. */
  keep(operations: Iterable<ObjectOperation>): void {
    const asked = new Map([...operations].map((one) => [objectKeyOf(one), versionOf(one)]));
    for (const [key, { version, failures }] of this.#attempts) {
      const now = asked.get(key);
      if (now === undefined || (failures === 0 && now !== version)) this.#attempts.delete(key);
    }
  }
}

/** `namespace/name` of the object. */
export function objectKeyOf(operation: ObjectOperation): string {
  return keyOf(operation.kind === 'create' ? operation.target : operation.object);
}

/** What the operation was decided on. */
function versionOf(operation: ObjectOperation): string {
  if (operation.kind === 'create') return 'none';
  return `${operation.object.uid} ${operation.object.resourceVersion}`;
}
