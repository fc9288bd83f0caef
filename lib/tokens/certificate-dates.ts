import type { AzureIdentity } from '../model/identity.ts';
import type { Clock, Timer } from '../platform/clock.ts';
import type { NmiMetrics } from '../platform/metrics.ts';

/** What nobody has used for so long is not told of any more, ms: jobs of once a day stay, deleted identities go. */
const keptMs = 2 * 24 * 60 * 60_000;
/** Whoever may create AzureIdentities chooses their names; the scraper is to hold no more of them. */
const mostKept = 256;

/** The ends of the certificates that are in use, as a gauge: in time for somebody to renew them. */
export class CertificateDates {
  readonly #clock: Clock;
  readonly #gauge: NmiMetrics['certificates'];
  /** By identity, the one noted longest ago first. */
  readonly #kept = new Map<string, Timer>();

  constructor(clock: Clock, { certificates }: Pick<NmiMetrics, 'certificates'>) {
    this.#clock = clock;
    this.#gauge = certificates;
  }

  /** `expiresOn`: s since the epoch. */
  note({ namespace, name }: Pick<AzureIdentity, 'namespace' | 'name'>, expiresOn: number): void {
    const identity = `${namespace}/${name}`;
    this.#forget(identity);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= mostKept && oldest !== undefined) this.#forget(oldest);
    this.#kept.set(
      identity,
      this.#clock.after(keptMs, () => this.#forget(identity)),
    );
    this.#gauge.set({ identity }, expiresOn);
  }

  #forget(identity: string): void {
    this.#kept.get(identity)?.cancel();
    if (this.#kept.delete(identity)) this.#gauge.remove({ identity });
  }
}
