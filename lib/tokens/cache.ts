import type { Token } from '../model/token.ts';
import type { Clock } from '../platform/clock.ts';

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
/** 110 pods with a few identities and resources each; the least recently used goes first. */
const mostEntries = 4_096;

export interface Entry {
  readonly token: Token;
  /** On the monotonic clock, as the next. */
  readonly fetchedAt: number;
  /** Not before this is a renewal tried. */
  readonly renewAt: number;
}

export interface CacheOptions {
  readonly clock: Clock;
  /** 0 to 1, as Math.random. */
  readonly random: () => number;
  readonly onDropped: (why: 'expired' | 'full') => void;
}

/** Tokens and their times; the least recently asked for goes when there are too many. */
export class TokenCache {
  readonly #options: CacheOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: CacheOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** A valid entry, moved to the young end of the map; an expired one is dropped. */
  find(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    if (!this.isValid(entry.token)) {
      this.#options.onDropped('expired');
      return undefined;
    }
    this.#entries.set(key, entry);
    return entry;
  }

  /** Due for renewal at half its life, or in time before it is too old. */
  put(key: string, token: Token): void {
    const fetchedAt = this.#now;
    const lifeMs = token.expiresOn * 1000 - this.#options.clock.now();
    const renewAt = fetchedAt + this.#spread(Math.min(lifeMs / 2, maxAgeMs - aheadMs));
    this.#entries.delete(key);
    this.#entries.set(key, { token, fetchedAt, renewAt });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size <= mostEntries || oldest === undefined) return;
    this.#entries.delete(oldest);
    this.#options.onDropped('full');
  }

  /** The renewal failed. */
  postpone(key: string, entry: Entry): void {
    this.#entries.set(key, { ...entry, renewAt: this.#now + this.#spread(renewAgainMs) });
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
