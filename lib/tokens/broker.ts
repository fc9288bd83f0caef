import { AppError } from '../model/errors.ts';
import type { AzureIdentity } from '../model/identity.ts';
import type { Token } from '../model/token.ts';
import type { Clock } from '../platform/clock.ts';
import type { TokenSource } from './source.ts';

/** How a request was paid for; for the metrics. */
export type Payment = 'cached' | 'shared' | 'fetched' | 'kept';

export interface BrokerOptions {
  readonly clock: Clock;
  /** By identity type. */
  readonly sources: ReadonlyMap<number, TokenSource>;
  readonly onPaid: (payment: Payment) => void;
}

/** IMDS renews a token when it is asked an hour after the last time, so an older copy only misses what changed since. */
const maxAgeMs = 60 * 60 * 1000;
/** MSAL counts a token with less than this left as expired. */
const leastLeftSec = 5 * 60;
/** 110 pods with a few identities and resources each; the least recently used goes first. */
const mostEntries = 4_096;

interface Entry {
  readonly token: Token;
  readonly fetchedAt: number;
}

/**
 * Pays for a decision: one upstream call per identity, credential and resource, however many ask. A request's end never
 * ends the call that others wait for: a source has its own deadline.
 */
export class Broker {
  readonly #options: BrokerOptions;
  readonly #cache = new Map<string, Entry>();
  readonly #underWay = new Map<string, Promise<Token>>();

  constructor(options: BrokerOptions) {
    this.#options = options;
  }

  /** Rejects as the source does, and with `identity-type-unsupported` where there is none. */
  async get(identity: AzureIdentity, resource: string): Promise<Token> {
    const source = this.#options.sources.get(identity.type);
    if (!source) {
      throw new AppError(
        'identity-type-unsupported',
        `AzureIdentity type ${identity.type} has no token source`,
      );
    }
    const key = JSON.stringify([
      identity.type,
      source.authority,
      identity.clientId.toLowerCase(),
      source.credential(identity),
      resource,
    ]);
    const entry = this.#lookUp(key);
    if (entry && this.#isYoung(entry)) return this.#paid('cached', entry.token);
    const underWay = this.#underWay.get(key);
    const fetching = underWay ?? this.#fetch(key, () => source.fetch(identity, resource));
    try {
      return this.#paid(underWay === undefined ? 'fetched' : 'shared', await fetching);
    } catch (error) {
      // The old token is still good, which is better than an outage of the source.
      if (entry && this.#isValid(entry.token)) return this.#paid('kept', entry.token);
      throw error;
    }
  }

  #fetch(key: string, fetch: () => Promise<Token>): Promise<Token> {
    const fetching = fetch()
      .then((token) => this.#store(key, token))
      .finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, fetching);
    return fetching;
  }

  #store(key: string, token: Token): Token {
    if (!this.#isValid(token))
      throw new AppError('imds-garbled', 'the source handed out a token with under 5 minutes left');
    this.#cache.delete(key);
    this.#cache.set(key, { token, fetchedAt: this.#options.clock.monotonic() });
    const [oldest] = this.#cache.keys();
    if (this.#cache.size > mostEntries && oldest !== undefined) this.#cache.delete(oldest);
    return token;
  }

  /** A valid entry, moved to the young end of the map; an expired one is dropped. */
  #lookUp(key: string): Entry | undefined {
    const entry = this.#cache.get(key);
    if (!entry) return undefined;
    this.#cache.delete(key);
    if (!this.#isValid(entry.token)) return undefined;
    this.#cache.set(key, entry);
    return entry;
  }

  #isYoung({ fetchedAt }: Entry): boolean {
    return this.#options.clock.monotonic() - fetchedAt < maxAgeMs;
  }

  #isValid({ expiresOn }: Token): boolean {
    return expiresOn - this.#options.clock.now() / 1000 >= leastLeftSec;
  }

  #paid(payment: Payment, token: Token): Token {
    this.#options.onPaid(payment);
    return token;
  }
}
