import { AppError } from '../model/errors.ts';
import type { AzureIdentity } from '../model/identity.ts';
import type { Token } from '../model/token.ts';
import type { Clock } from '../platform/clock.ts';
import type { TokenSource } from './source.ts';

/**
 * How a request was paid for; for the metrics. `shared`: by a call that was under way for another; `kept`: with a token
 * whose renewal is due or fails.
 */
export type Payment = 'cached' | 'shared' | 'fetched' | 'kept';

export interface BrokerOptions {
  readonly clock: Clock;
  /** By identity type. */
  readonly sources: ReadonlyMap<number, TokenSource>;
  readonly onPaid: (payment: Payment) => void;
  /** A token that is due could not be renewed; it still serves. */
  readonly onRenewalFailed: (identity: AzureIdentity, error: unknown) => void;
  /** A source has handed out a token for this identity. */
  readonly onFetched: (identity: AzureIdentity, token: Token) => void;
}

/** IMDS renews a token when it is asked an hour after the last time, so an older copy only misses what changed since. */
const maxAgeMs = 60 * 60 * 1000;
/** After a renewal that failed, the next is not tried sooner; requests meanwhile get the token that is still good. */
const renewAgainMs = 60 * 1000;
/** MSAL counts a token with less than this left as expired. */
const leastLeftSec = 5 * 60;
/** 110 pods with a few identities and resources each; the least recently used goes first. */
const mostEntries = 4_096;

interface Entry {
  readonly token: Token;
  readonly fetchedAt: number;
  /** Not before this, on the monotonic clock. */
  renewAt: number;
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

  /** How many tokens are kept. */
  get size(): number {
    return this.#cache.size;
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
    const fetch = (): Promise<Token> => source.fetch(identity, resource);
    const entry = this.#lookUp(key);
    if (entry) {
      const due = this.#options.clock.monotonic() >= entry.renewAt;
      // In the background: nobody waits for a source that may hang while the token in hand is good.
      if (due && !this.#underWay.has(key)) this.#renew(key, entry, identity, fetch);
      return this.#paid(this.#isYoung(entry) ? 'cached' : 'kept', entry.token);
    }
    const underWay = this.#underWay.get(key);
    const token = await (underWay ?? this.#fetch(key, identity, fetch));
    return this.#paid(underWay === undefined ? 'fetched' : 'shared', token);
  }

  #renew(key: string, entry: Entry, identity: AzureIdentity, fetch: () => Promise<Token>): void {
    this.#fetch(key, identity, fetch).catch((error: unknown) => {
      entry.renewAt = this.#options.clock.monotonic() + renewAgainMs;
      this.#options.onRenewalFailed(identity, error);
    });
  }

  #fetch(key: string, identity: AzureIdentity, fetch: () => Promise<Token>): Promise<Token> {
    const fetching = fetch()
      .then((token) => {
        this.#options.onFetched(identity, token);
        return this.#store(key, token);
      })
      .finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, fetching);
    return fetching;
  }

  #store(key: string, token: Token): Token {
    if (!this.#isValid(token))
      throw new AppError('imds-garbled', 'the source handed out a token with under 5 minutes left');
    this.#cache.delete(key);
    const fetchedAt = this.#options.clock.monotonic();
    this.#cache.set(key, { token, fetchedAt, renewAt: fetchedAt + maxAgeMs });
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
