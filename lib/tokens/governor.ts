import { AppError } from '../model/errors.ts';
import type { Asker, Enter, Leave, Outcome, UpstreamKind } from '../model/turn.ts';
import type { Clock, Timer } from '../platform/clock.ts';
import { retryAfterMs } from '../platform/retry-after.ts';
import { Allowance } from './allowance.ts';
import { Lanes } from './lanes.ts';

/** IMDS's limits for managed identities, per machine; beyond them it answers 429 to whoever asks next. */
const everything = { inFlight: 5, perSecond: 20 } as const;
/** IMDS's limit for documents. Three in flight at most: scheduledevents may take minutes, and tokens must not wait for it. */
const documents = { inFlight: 3, perSecond: 5 } as const;
/** A second's worth for one pod and kind. Calls for the same token share one place, so that real pods have one to four. */
const mostPerPod = everything.perSecond;
/** The agent's own renewals: as many as can be done within their patience of a minute while pods ask, too. */
const mostOwn = 500;
/** 250 pods, the most that AKS puts on a node, each with a full lane: a bound for the memory, which fairness never needs. */
const mostInAll = 250 * mostPerPod;
/** IMDS counts by the second, so a 429 that tells no time is over in one. */
const leastPauseMs = 1_000;
/** No longer, whatever IMDS says: tokens of the whole node are behind it. */
const mostPauseMs = 60_000;

export type Refusal = 'full' | 'late';

/** What the metrics are told. */
export interface Meter {
  readonly standing: (
    kind: UpstreamKind,
    now: { readonly inFlight: number; readonly queued: number },
  ) => void;
  readonly waited: (kind: UpstreamKind, ms: number) => void;
  /** `none`: no answer; `lost`: a kept connection was lost, and the call made again. */
  readonly called: (kind: UpstreamKind, status: number | 'none' | 'lost') => void;
  readonly refused: (kind: UpstreamKind, why: Refusal) => void;
  readonly paused: (kind: UpstreamKind, ms: number) => void;
}

interface Waiter extends Asker {
  readonly kind: UpstreamKind;
  readonly since: number;
  readonly settle: (leave: Leave | AppError) => void;
}

/**
 * Stands in front of IMDS, which throttles per machine: everything that the agent asks it waits here for its turn. Pods take
 * turns, and so do tokens and documents. One timer for all who wait.
 */
export class Governor {
  readonly #clock: Clock;
  readonly #meter: Meter;
  readonly #all = new Allowance(everything);
  readonly #documents = new Allowance(documents);
  readonly #lanes = { token: new Lanes<Waiter>(), pass: new Lanes<Waiter>() };
  readonly #pausedUntil = { token: Number.NEGATIVE_INFINITY, pass: Number.NEGATIVE_INFINITY };
  /** Whose turn it is comes first. */
  #kinds: readonly UpstreamKind[] = ['token', 'pass'];
  #timer: Timer | undefined;
  /** Nobody's patience ends before. */
  #nextLate = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, meter: Meter) {
    this.#clock = clock;
    this.#meter = meter;
  }

  /** One whose time is over before it comes is still taken when there is room at once. */
  readonly enter: Enter = (kind, asker, signal) => {
    const lanes = this.#lanes[kind];
    const { promise, resolve, reject } = Promise.withResolvers<Leave>();
    if (signal?.aborted) return Promise.reject(signal.reason);
    const most = asker.who === '' ? mostOwn : mostPerPod;
    if (lanes.lengthOf(asker.who) >= most || this.#queued >= mostInAll)
      return Promise.reject(this.#refusal(kind, 'full'));
    const settle: Waiter['settle'] = (leave) => {
      signal?.removeEventListener('abort', abort);
      if (leave instanceof AppError) reject(leave);
      else resolve(leave);
    };
    const waiter: Waiter = { ...asker, kind, since: this.#clock.monotonic(), settle };
    const abort = (): void => {
      lanes.remove(waiter);
      reject(signal?.reason);
      this.#pump();
    };
    signal?.addEventListener('abort', abort, { once: true });
    lanes.push(waiter);
    this.#nextLate = Math.min(this.#nextLate, asker.until);
    this.#pump();
    return promise;
  };

  /** A call that was made beside a turn, and counts for the next ones. */
  count(kind: UpstreamKind): void {
    for (const allowance of this.#allowances(kind)) allowance.count(this.#clock.monotonic());
    this.#meter.called(kind, 'lost');
  }

  /** Lets in all who can go, sends away all whose time is over, and sets the alarm for the next change. */
  #pump(): void {
    const now = this.#clock.monotonic();
    for (let waiter = this.#take(now); waiter; waiter = this.#take(now)) this.#start(waiter, now);
    if (now >= this.#nextLate) this.#sendLateAway(now);
    this.#setAlarm(now);
    for (const kind of this.#kinds) this.#meter.standing(kind, this.#standing(kind));
  }

  #take(now: number): Waiter | undefined {
    for (const kind of this.#kinds) {
      const isOpen = now >= this.#pausedUntil[kind] && this.#allowances(kind).every((one) => one.isFree(now));
      const waiter = isOpen ? this.#lanes[kind].next() : undefined;
      if (!waiter) continue;
      this.#kinds = kind === 'token' ? ['pass', 'token'] : ['token', 'pass'];
      return waiter;
    }
    return undefined;
  }

  #start({ kind, since, settle }: Waiter, now: number): void {
    for (const allowance of this.#allowances(kind)) allowance.begin();
    this.#meter.waited(kind, now - since);
    let isOver = false;
    settle((outcome) => {
      if (isOver) return;
      isOver = true;
      this.#end(kind, outcome);
    });
  }

  #end(kind: UpstreamKind, outcome: Outcome): void {
    const now = this.#clock.monotonic();
    for (const allowance of this.#allowances(kind)) allowance.end(now, outcome !== 'unused');
    if (outcome === 'unanswered') this.#meter.called(kind, 'none');
    if (typeof outcome === 'object') {
      this.#meter.called(kind, outcome.status);
      const asksForTime = outcome.status >= 400 && outcome.retryAfter !== undefined;
      if (outcome.status === 429 || asksForTime) this.#pause(kind, outcome.retryAfter, now);
    }
    this.#pump();
  }

  #pause(kind: UpstreamKind, retryAfter: string | undefined, now: number): void {
    const asked = retryAfterMs(retryAfter, this.#clock.now()) ?? 0;
    const until = now + Math.min(Math.max(asked, leastPauseMs), mostPauseMs);
    const before = Math.max(this.#pausedUntil[kind], now);
    if (until <= before) return;
    this.#pausedUntil[kind] = until;
    this.#meter.paused(kind, until - before);
  }

  #sendLateAway(now: number): void {
    const waiting = [...this.#lanes.token.all(), ...this.#lanes.pass.all()];
    for (const waiter of waiting.filter(({ until }) => until <= now)) {
      this.#lanes[waiter.kind].remove(waiter);
      waiter.settle(this.#refusal(waiter.kind, 'late'));
    }
    this.#nextLate = Math.min(...waiting.map(({ until }) => until).filter((until) => until > now));
  }

  #setAlarm(now: number): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#queued === 0) return;
    const opens = this.#kinds
      .filter((kind) => this.#lanes[kind].size > 0)
      .map((kind) => Math.max(this.#pausedUntil[kind], ...this.#allowances(kind).map((one) => one.freeAt())));
    const at = Math.min(this.#nextLate, ...opens);
    this.#timer = this.#clock.after(at - now, () => this.#pump());
  }

  #refusal(kind: UpstreamKind, why: Refusal): AppError {
    this.#meter.refused(kind, why);
    const paused = this.#pausedUntil[kind] - this.#clock.monotonic();
    const perSecond = kind === 'pass' ? documents.perSecond : everything.perSecond;
    const seconds = Math.ceil(Math.max(paused / 1000, this.#lanes[kind].size / perSecond, 1));
    const what = why === 'full' ? 'too many calls to IMDS wait already' : 'no turn towards IMDS came in time';
    return new AppError('imds-busy', what, { retryAfter: String(Math.min(seconds, mostPauseMs / 1000)) });
  }

  #allowances(kind: UpstreamKind): readonly Allowance[] {
    return kind === 'pass' ? [this.#all, this.#documents] : [this.#all];
  }

  #standing(kind: UpstreamKind): { inFlight: number; queued: number } {
    const passing = this.#documents.inFlight;
    const inFlight = kind === 'pass' ? passing : this.#all.inFlight - passing;
    return { inFlight, queued: this.#lanes[kind].size };
  }

  get #queued(): number {
    return this.#lanes.token.size + this.#lanes.pass.size;
  }
}
