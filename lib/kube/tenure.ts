import { messageOf } from '../model/errors.ts';
import type { Timer } from '../platform/clock.ts';
import { type Candidate, type ElectionOptions, parts, type Term } from './candidate.ts';

/** A lease being held: renewed until the work has ended, whoever ends it, so that nobody begins beside it. */
export class Tenure {
  readonly #candidate: Candidate;
  readonly #options: ElectionOptions;
  readonly #ended = new AbortController();
  /** Nothing is to be renewed any more. */
  readonly #over = new AbortController();
  #term: Term;
  #timer: Timer | undefined;
  #lost = false;
  #why: string | undefined;

  constructor(term: Term, candidate: Candidate, options: ElectionOptions) {
    this.#term = term;
    this.#candidate = candidate;
    this.#options = options;
  }

  /** Aborts when the work has to end: the lease is lost, or the original's MIC has come. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** Why it has to end. */
  get why(): string | undefined {
    return this.#why;
  }

  /** Renews until `close`, or until it is lost. */
  async keep(): Promise<void> {
    const { clock, durationMs } = this.#options;
    this.#arm();
    let pause = durationMs * parts.retry;
    for (;;) {
      await clock.sleep(pause, this.#over.signal);
      if (this.#over.signal.aborted) break;
      const renewed = await this.#renew();
      // Soon again after a failure: there is a quarter of the lease left.
      pause = durationMs * (renewed ? parts.retry : parts.retry / 4);
    }
    this.#timer?.cancel();
  }

  /** When the work has ended: the lease to release, undefined for one that is lost. */
  async close(keeping: Promise<void>): Promise<Term | undefined> {
    this.#over.abort();
    await keeping;
    const valid = !this.#lost && this.#options.clock.monotonic() < this.#term.until;
    return valid ? this.#term : undefined;
  }

  async #renew(): Promise<boolean> {
    const { signal } = this.#over;
    try {
      const term = await this.#candidate.renew(this.#term, signal);
      if (signal.aborted) return false;
      if (term === 'lost') {
        this.#lose('another has taken the lease');
        return false;
      }
      this.#term = term;
      this.#arm();
    } catch (error) {
      if (!signal.aborted)
        this.#options.log.warn({ error: messageOf(error) }, 'lease not renewed; trying again');
      return false;
    }
    const intruder = await this.#candidate.intruder(signal);
    if (intruder !== undefined) this.#end(`the original's MIC ${intruder} is at work`);
    return true;
  }

  #arm(): void {
    const { clock } = this.#options;
    this.#timer?.cancel();
    const left = this.#term.until - clock.monotonic();
    this.#timer = clock.after(left, () => this.#lose('the lease could not be renewed in time'));
  }

  #lose(why: string): void {
    this.#lost = true;
    this.#end(why);
    this.#over.abort();
  }

  #end(why: string): void {
    this.#why ??= why;
    this.#ended.abort(new Error(why));
  }
}
