import { AppError } from '../model/errors.ts';
import type { AzureIdentity } from '../model/identity.ts';
import type { Token } from '../model/token.ts';
import type { Asker } from '../model/turn.ts';
import type { Clock } from '../platform/clock.ts';
import { waitFor } from '../platform/wait.ts';
import { type Dropped, type Entry, TokenCache } from './cache.ts';
import type { Place } from './cache-lru.ts';
import { Flight } from './flight.ts';
import { whyGone } from './gone.ts';
import type { EnterSource, TokenSource } from './source.ts';

/**
 * How a request was paid for; for the metrics. `shared`: by a call that was under way for another; `kept`: with a token
 * that is too old, because its renewal fails or takes too long.
 */
export type Payment = 'cached' | 'shared' | 'fetched' | 'kept';

/** What else happens to tokens in the cache. `gone`: their identity is, so they were dropped. */
export type CacheEvent = 'renewed' | 'renewal-failed' | 'gone' | Dropped;

export interface BrokerOptions {
  readonly clock: Clock;
  /** By identity type. */
  readonly sources: ReadonlyMap<number, TokenSource>;
  readonly onPaid: (payment: Payment) => void;
  /** A token could not be renewed. It still serves, unless `gone` tells why it does not. */
  readonly onRenewalFailed: (identity: AzureIdentity, error: unknown, gone: string | undefined) => void;
  /** A source has handed out a token for this identity. */
  readonly onFetched: (identity: AzureIdentity, token: Token) => void;
  readonly onCache?: (event: CacheEvent) => void;
  /** 0 to 1; Math.random unless said. */
  readonly random?: () => number;
}

/** For a renewal that nobody waits for to get its turn; it is tried again a minute later anyway. */
const ownPatienceMs = 60_000;
/** For a renewal while the old token is good: a source that hangs must not cost a client its patience. */
const renewalPatienceMs = 2_000;

/** What is asked of a source; the holder is all of the key but the resource. */
interface Order extends Place {
  readonly identity: AzureIdentity;
  readonly resource: string;
  readonly source: TokenSource;
}

/**
 * Pays for a decision: one upstream call per identity, credential and resource, however many ask. A token is renewed in the
 * background when a request finds it due, and before the request when it is over an hour old; while that fails, the old one
 * serves as long as 5 minutes of it are left. A request's end never ends the call that others wait for.
 */
export class Broker {
  readonly #options: BrokerOptions;
  readonly #cache: TokenCache;
  readonly #flights = new Map<string, Flight>();

  constructor(options: BrokerOptions) {
    this.#options = options;
    const { clock, random = Math.random } = options;
    this.#cache = new TokenCache({ clock, random, onDropped: (why) => this.#note(why) });
  }

  /** How many tokens are kept. */
  get size(): number {
    return this.#cache.size;
  }

  /**
   * `asker` is for whom a call would be made; unless said, for the agent itself. Rejects as the source does, with `imds-busy`
   * when no turn came in the asker's time, and with `identity-type-unsupported` where there is no source.
   */
  async get(identity: AzureIdentity, resource: string, asker: Asker = this.#itself()): Promise<Token> {
    const order = this.#order(identity, resource);
    const entry = this.#cache.find(order.key);
    const underWay = this.#flights.has(order.key);
    if (!entry) {
      const token = await this.#flight(order).join(asker);
      return this.#paid(underWay ? 'shared' : 'fetched', token);
    }
    const isDue = this.#cache.isDue(entry);
    if (this.#cache.isYoung(entry)) {
      if (isDue && !underWay) this.#flight(order).join(this.#itself()).catch(toldAlready);
      return this.#paid('cached', entry.token);
    }
    // It is not due when a renewal has failed a moment ago.
    if (!isDue && !underWay) return this.#paid('kept', entry.token);
    return this.#renewed(order, entry, asker);
  }

  /** The new token if it comes soon, the old one if it does not and is still good, otherwise the failure. */
  async #renewed(order: Order, { token: old }: Entry, asker: Asker): Promise<Token> {
    const { clock } = this.#options;
    const payment = this.#flights.has(order.key) ? 'shared' : 'fetched';
    const renewal = this.#flight(order).join(asker);
    try {
      const signal = new AbortController().signal;
      if (await waitFor(renewal, renewalPatienceMs, { clock, signal }))
        return this.#paid(payment, await renewal);
    } catch (error) {
      if (whyGone(error) !== undefined || !this.#cache.isValid(old)) throw error;
    }
    if (this.#cache.isValid(old)) return this.#paid('kept', old);
    return this.#paid(payment, await renewal);
  }

  /** The call that is under way, or a new one that waits for whoever joins first. */
  #flight(order: Order): Flight {
    const underWay = this.#flights.get(order.key);
    if (underWay) return underWay;
    const flight = new Flight({
      clock: this.#options.clock,
      enter: order.source.enter ?? atOnce,
      call: () => this.#fetch(order),
      onOver: (failure) => {
        this.#flights.delete(order.key);
        if (failure) this.#failed(order, failure.error);
      },
    });
    this.#flights.set(order.key, flight);
    return flight;
  }

  async #fetch(order: Order): Promise<Token> {
    const { key, identity, resource, source } = order;
    const token = await source.fetch(identity, resource);
    this.#options.onFetched(identity, token);
    if (!this.#cache.isValid(token))
      throw new AppError('imds-garbled', 'the source handed out a token with under 5 minutes left');
    const isRenewal = this.#cache.find(key) !== undefined;
    if (this.#cache.put(order, token) && isRenewal) this.#note('renewed');
    return token;
  }

  /** Only a listed answer takes a token away that is still good. */
  #failed({ key, identity }: Order, error: unknown): void {
    const entry = this.#cache.find(key);
    if (!entry) return;
    const gone = whyGone(error);
    if (gone === undefined) this.#cache.postpone(entry);
    else this.#cache.drop(key);
    this.#note(gone === undefined ? 'renewal-failed' : 'gone');
    this.#options.onRenewalFailed(identity, error, gone);
  }

  /** Throws AppError `identity-type-unsupported`. */
  #order(identity: AzureIdentity, resource: string): Order {
    const source = this.#options.sources.get(identity.type);
    if (!source) {
      throw new AppError(
        'identity-type-unsupported',
        `AzureIdentity type ${identity.type} has no token source`,
      );
    }
    const { type, clientId } = identity;
    const holding = [type, source.authority(identity), clientId.toLowerCase(), source.credential(identity)];
    const holder = JSON.stringify(holding);
    // No array's JSON begins with another's, so the resource cannot be taken for a part of the holder.
    return { holder, key: holder + resource, identity, resource, source };
  }

  #itself(): Asker {
    return { who: '', until: this.#options.clock.monotonic() + ownPatienceMs };
  }

  #paid(payment: Payment, token: Token): Token {
    this.#options.onPaid(payment);
    return token;
  }

  #note(event: CacheEvent): void {
    this.#options.onCache?.(event);
  }
}

const atOnce: EnterSource = async () => () => undefined;

/** A renewal's failure is told by `onRenewalFailed`. */
const toldAlready = (): void => undefined;
