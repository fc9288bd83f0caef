import type { Token } from '../model/token.ts';
import type { Clock } from '../platform/clock.ts';
import { CacheLru, type Place } from './cache-lru.ts';

/** IMDS renews a token when it is asked an hour after the last time, so an older copy only misses what changed since. */
const maxAgeMs = 60 * 60 * 1000;
/** Time to renew a token before it is too old. */
const aheadMs = 5 * 60 * 1000;
/** After a renewal that failed, the next is not tried sooner. */
const renewAgainMs = 60 * 1000;
/** Pauses are up to a tenth shorter, so that what was fetched together is not renewed together. */
const jitter = 0.1;
/** MSAL counts a token with less than this left as expired. */
const leastLeftSec = 5 * 60;
/**
 * Of an entry, with its key and the tokens of auxiliary tenants. Azure's own tokens have 1 to 3 kB. Group ids make them larger,
 * to 10.5 kB with 157 (Azure/azure-managed-grafana#62), and Entra ID leaves them out from 200 on. So what has more is hardly a
 * token that a service takes: whoever makes such tokens gets them, but pays for each himself.
 */
const mostBytes = 16 * 1024;

export interface Entry {
  readonly token: Token;
  /** On the monotonic clock, as the next. */
  readonly fetchedAt: number;
  /** Not before this is a renewal tried. */
  renewAt: number;
}

export interface CacheOptions {
  readonly clock: Clock;
  /** 0 to 1, as Math.random. */
  readonly random: () => number;
  readonly onDropped: (why: Dropped) => void;
}

/** Why a token is not in the cache any more, or never was: `too-large`. */
export type Dropped = 'expired' | 'full' | 'too-large';

/** Tokens and their times; the least recently asked for goes when there are too many, of one holder or in all. */
export class TokenCache {
  readonly #options: CacheOptions;
  readonly #entries: CacheLru<Entry>;

  constructor(options: CacheOptions) {
    this.#options = options;
    this.#entries = new CacheLru(() => options.onDropped('full'));
  }

  get size(): number {
    return this.#entries.size;
  }

  /** A valid entry, which is now the one that was asked for last; an expired one is dropped. */
  find(key: string): Entry | undefined {
    const entry = this.#entries.use(key);
    if (!entry || this.isValid(entry.token)) return entry;
    this.#entries.delete(key);
    this.#options.onDropped('expired');
    return undefined;
  }

  /**
   * Due for renewal at half its life, or in time before it is too old. False for one that is too large; then the old one
   * goes, too, which would be renewed again and again, and never replaced.
   */
  put(place: Place, token: Token): boolean {
    const bytes = bytesOf(place.key, token);
    if (bytes > mostBytes) {
      this.#entries.delete(place.key);
      this.#options.onDropped('too-large');
      return false;
    }
    const fetchedAt = this.#now;
    const lifeMs = token.expiresOn * 1000 - this.#options.clock.now();
    const renewAt = fetchedAt + this.#spread(Math.min(lifeMs / 2, maxAgeMs - aheadMs));
    this.#entries.put(place, { token, fetchedAt, renewAt }, bytes);
    return true;
  }

  /** The renewal failed. */
  postpone(entry: Entry): void {
    entry.renewAt = this.#now + this.#spread(renewAgainMs);
  }

  drop(key: string): void {
    this.#entries.delete(key);
  }

  isDue({ renewAt }: Entry): boolean {
    return this.#now >= renewAt;
  }

  isYoung({ fetchedAt }: Entry): boolean {
    return this.#now - fetchedAt < maxAgeMs;
  }

  isValid({ expiresOn }: Token): boolean {
    return expiresOn - this.#options.clock.now() / 1000 >= leastLeftSec;
  }

  #spread(ms: number): number {
    return ms * (1 - jitter * this.#options.random());
  }

  get #now(): number {
    return this.#options.clock.monotonic();
  }
}

function bytesOf(key: string, { accessToken, auxiliary = [] }: Token): number {
  const texts = [key, accessToken, ...auxiliary.map((token) => token.accessToken)];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}
