import { AppError, isAppError, messageOf } from '../model/errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/log.ts';
import { Deadline } from './deadline.ts';
import { type Lease, type LeaseDoor, type LeaseRecord, microTime } from './lease.ts';
import { Observed } from './observed.ts';
import type { OriginalLock } from './original-lock.ts';

export interface ElectionOptions {
  readonly lease: LeaseDoor;
  readonly original: OriginalLock;
  /** Of this candidate; the original's tests read the name of its pod there. */
  readonly identity: string;
  /** How long the lease holds, ms: `--leader-election-duration`. */
  readonly durationMs: number;
  readonly clock: Clock;
  /** 0 to 1, as Math.random. */
  readonly random: () => number;
  readonly log: Logger;
}

/** A lease that is ours. */
export interface Term {
  readonly lease: Lease;
  /** Until when it is ours without another renewal, ms of the monotonic clock; counted from before the request was sent. */
  readonly until: number;
}

/** Who holds it, or what keeps us from it, and when to look again, ms. */
interface Waiting {
  readonly why: string;
  readonly ms: number;
}

/** The parts of a lease, as the original divides its own. */
export const parts = {
  /** The holder renews it so often, and candidates look so often. */
  retry: 1 / 4,
  /** A renewal that takes longer has failed: there is time for another. */
  renewal: 1 / 8,
  /** The holder stops when it has not been renewed for so long. */
  hold: 1 / 2,
  /**
   * Another may take it when it has seen it stand still for so long. The holder has stopped then, with a quarter to spare; and
   * since a candidate may have come to see the last renewal a quarter late, it takes over within the lease.
   */
  vacant: 3 / 4,
} as const;

/** Tries to get the lease, one attempt at a time. */
export class Candidate {
  readonly #options: ElectionOptions;
  readonly #observed = new Observed();
  #told = '';

  constructor(options: ElectionOptions) {
    this.#options = options;
  }

  /** Undefined when `signal` aborts before the lease is ours. */
  async campaign(signal: AbortSignal): Promise<Term | undefined> {
    while (!signal.aborted) {
      const outcome = await this.#attempt(signal);
      if ('until' in outcome) {
        this.#told = '';
        return outcome;
      }
      if (signal.aborted) break;
      this.#tell(outcome.why);
      await this.#options.clock.sleep(outcome.ms, signal);
    }
    return undefined;
  }

  /** Renews it. Rejects like the door where that is not known to have worked; it may still be ours then. */
  renew({ lease }: Term, signal: AbortSignal): Promise<Term | 'lost'> {
    return this.#within({ signal, part: parts.renewal }, async (ending) => {
      const until = this.#until();
      const renewed = await this.#rewrite(lease, (before) => this.#recordAfter(before), ending);
      return renewed ? { lease: renewed, until } : 'lost';
    });
  }

  /** Gives it up, so that the next need not wait. */
  async release({ lease }: Term): Promise<void> {
    const renewTime = microTime(this.#options.clock.now());
    const vacate = (before: LeaseRecord): LeaseRecord => ({
      ...before,
      holder: '',
      durationSeconds: 1,
      renewTime,
    });
    await this.#within({ part: parts.retry }, (ending) => this.#rewrite(lease, vacate, ending));
  }

  /** Who of the original's MICs is at work. No answer is no reason for a holder to stop. */
  async intruder(signal: AbortSignal): Promise<string | undefined> {
    try {
      const { original } = this.#options;
      const standing = await this.#within({ signal, part: parts.renewal }, (ending) => original.look(ending));
      return standing.kind === 'held' ? standing.by : undefined;
    } catch {
      return undefined;
    }
  }

  async #attempt(signal: AbortSignal): Promise<Term | Waiting> {
    const { durationMs, random } = this.#options;
    const retryMs = durationMs * parts.retry;
    try {
      return await this.#within({ signal, part: parts.retry }, (ending) => this.#contend(retryMs, ending));
    } catch (error) {
      return { why: messageOf(error), ms: retryMs * (0.5 + 0.5 * random()) };
    }
  }

  async #contend(retryMs: number, signal: AbortSignal): Promise<Term | Waiting> {
    const { lease: door, original, clock, identity, random } = this.#options;
    const found = await door.read(signal);
    const now = clock.monotonic();
    const still = this.#observed.stillFor(JSON.stringify(found?.record), now);
    const other = await original.look(signal);
    if (other.kind === 'held') return { why: `the original's MIC ${other.by} is at work`, ms: retryMs };
    const { holder = '', durationSeconds = 0 } = found?.record ?? {};
    const left = durationSeconds * 1000 * parts.vacant - still;
    if (holder !== '' && holder !== identity && left > 0)
      return { why: `${holder} leads`, ms: Math.min(left, retryMs * (0.75 + 0.25 * random())) };
    return this.#take(found, signal);
  }

  async #take(found: Lease | undefined, signal: AbortSignal): Promise<Term> {
    const { lease: door } = this.#options;
    const until = this.#until();
    const record = this.#recordAfter(found?.record);
    const lease = found ? await door.update(found, record, signal) : await door.create(record, signal);
    return { lease, until };
  }

  /** Undefined when another holds it. */
  async #rewrite(
    lease: Lease,
    recordAfter: (before: LeaseRecord) => LeaseRecord,
    signal: AbortSignal,
  ): Promise<Lease | undefined> {
    const { lease: door, identity } = this.#options;
    try {
      return await door.update(lease, recordAfter(lease.record), signal);
    } catch (error) {
      if (!isAppError(error, 'kube-refused') || error.status !== 409) throw error;
      // Somebody labelled it, or a renewal of ours went through whose answer did not.
      const now = await door.read(signal);
      return now?.record.holder === identity ? door.update(now, recordAfter(now.record), signal) : undefined;
    }
  }

  #until(): number {
    const { clock, durationMs } = this.#options;
    return clock.monotonic() + durationMs * parts.hold;
  }

  #recordAfter(before: LeaseRecord | undefined): LeaseRecord {
    const { identity, durationMs, clock } = this.#options;
    const renewTime = microTime(clock.now());
    const durationSeconds = Math.ceil(durationMs / 1000);
    if (before?.holder === identity) return { ...before, durationSeconds, renewTime };
    const transitions = before === undefined ? 0 : before.transitions + 1;
    return { holder: identity, durationSeconds, acquireTime: renewTime, renewTime, transitions };
  }

  /** Gives up after that part of the lease. */
  async #within<T>(
    { signal, part }: { readonly signal?: AbortSignal; readonly part: number },
    work: (ending: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { clock, durationMs } = this.#options;
    const deadline = new Deadline(clock, signal);
    const ms = durationMs * part;
    deadline.arm(ms, () => new AppError('kube-timeout', `no answer about the lease within ${ms} ms`));
    try {
      return await work(deadline.signal);
    } finally {
      deadline.end();
    }
  }

  #tell(why: string): void {
    if (why === this.#told) return;
    this.#told = why;
    this.#options.log.info({ why }, 'not leading; waiting');
  }
}
