import { messageOf } from '../model/errors.ts';
import { Candidate, type ElectionOptions, type Term } from './candidate.ts';
import type { EventRef, KubeEvent } from './event-body.ts';
import { leaseRef } from './lease.ts';
import { Tenure } from './tenure.ts';

export interface LeaderOptions extends ElectionOptions {
  /** Tells of it by an event on the Lease. */
  readonly tell: (about: EventRef, event: KubeEvent) => void;
}

/** Does the work while this process leads. It must end soon after `signal` aborts, and not before. */
export type OnLead = (signal: AbortSignal) => Promise<void>;

/**
 * Leader election by Lease. Of several, one at a time works, as far as a lease can promise that: a holder stops half a lease after
 * the last renewal that it knows of, and nobody else begins before three quarters of it.
 */
export class Leader {
  readonly #options: LeaderOptions;
  readonly #candidate: Candidate;
  #leading = false;

  constructor(options: LeaderOptions) {
    this.#options = options;
    this.#candidate = new Candidate(options);
  }

  /** The work runs, or is about to end. */
  get leading(): boolean {
    return this.#leading;
  }

  /**
   * Until `signal` aborts: contends for the lease, works while it holds it, and contends again when it has lost it and the work has
   * ended. Resolves with the lease released. Rejects if the work does.
   */
  async run(signal: AbortSignal, onLead: OnLead): Promise<void> {
    while (!signal.aborted) {
      const term = await this.#candidate.campaign(signal);
      if (term) await this.#lead(term, onLead, signal);
    }
  }

  async #lead(term: Term, onLead: OnLead, signal: AbortSignal): Promise<void> {
    const { identity, log } = this.#options;
    const tenure = new Tenure(term, this.#candidate, this.#options);
    const inner = AbortSignal.any([signal, tenure.ended]);
    this.#leading = true;
    this.#say(term, `${identity} became leader`);
    log.info({ identity }, 'leading');
    const keeping = tenure.keep();
    try {
      await onLead(inner);
      if (!inner.aborted) throw new Error('the work of the leader ended by itself');
    } finally {
      const last = await tenure.close(keeping);
      this.#leading = false;
      this.#say(term, `${identity} stopped leading`);
      log.info({ identity, lost: tenure.why }, 'not leading any more');
      if (last) await this.#release(last);
    }
  }

  async #release(term: Term): Promise<void> {
    try {
      await this.#candidate.release(term);
    } catch (error) {
      this.#options.log.warn({ error: messageOf(error) }, 'lease not released; it runs out');
    }
  }

  #say({ lease }: Term, message: string): void {
    this.#options.tell(leaseRef(lease), { type: 'Normal', reason: 'LeaderElection', message });
  }
}
