import type { Pod } from '../model/pod.ts';
import type { Clock } from '../platform/clock.ts';
import { type Holder, PodIndex } from './pod-index.ts';

export interface LiveLookOptions {
  readonly clock: Clock;
  /** Lists this node's pods from the API server, once, with its own deadline. Rejects when there is no answer. */
  readonly list: () => Promise<readonly Pod[]>;
  /** A list has failed; not called for askers who are only told so again. */
  readonly onFailure: (error: unknown) => void;
}

/** An address that nobody has is not asked for again so soon, ms: a caller that retries in a loop costs one list a second. */
const missMs = 1_000;
/** Lists begin at least this far apart, ms. */
const apartMs = 200;
/** After a failed list the next one may begin, ms: while the API server is away, known pods do not wait for it each time. */
const failedMs = 5_000;
/** More addresses than a node has; beyond it old misses are forgotten early. */
const mostMisses = 1_024;

/**
 * The one bounded call to the Kubernetes API on a request's path: a fresh list of this node's pods, for an address that
 * the watch does not know, or not for sure. (A `status.podIPs` field selector silently matches nothing.) One list at a
 * time serves all who ask before it begins.
 */
export class LiveLook {
  readonly #options: LiveLookOptions;
  readonly #misses = new Map<string, number>();
  /** The list that has begun, and the one that is to begin. */
  #current: Promise<PodIndex> | undefined;
  #next: Promise<PodIndex> | undefined;
  #lastBegun = Number.NEGATIVE_INFINITY;
  #failed: { readonly error: unknown; readonly until: number } | undefined;

  constructor(options: LiveLookOptions) {
    this.#options = options;
  }

  /** Whose address is it? Rejects as `list` does, and for 5 s after it did. */
  holderOf(ip: string): Promise<Holder> {
    return this.#ask(ip, (index) => index.settledHolderOf(ip));
  }

  /** The pod `namespace/name`. Rejects as `holderOf`. */
  named(key: string): Promise<Holder> {
    return this.#ask(key, (index) => {
      const pod = index.get(key);
      return pod ? { kind: 'pod', pod } : { kind: 'none' };
    });
  }

  async #ask(what: string, find: (index: PodIndex) => Holder): Promise<Holder> {
    const now = this.#options.clock.monotonic();
    if (now < (this.#misses.get(what) ?? now)) return { kind: 'none' };
    this.#throwIfFailed(now);
    this.#next ??= this.#look();
    const holder = find(await this.#next);
    if (holder.kind === 'none') this.#remember(what);
    return holder;
  }

  /**
   * One list, after the one before and not too soon. Who asks before it begins shares it; who asks later gets another,
   * since what began earlier may know less than the watch does by now.
   */
  async #look(): Promise<PodIndex> {
    const { clock, list, onFailure } = this.#options;
    await this.#current?.catch(() => undefined);
    const early = this.#lastBegun + apartMs - clock.monotonic();
    if (early > 0) await clock.sleep(early);
    this.#lastBegun = clock.monotonic();
    this.#current = this.#next;
    this.#next = undefined;
    this.#throwIfFailed(this.#lastBegun); // the list before this one
    try {
      const index = new PodIndex();
      index.replace(await list());
      return index;
    } catch (error) {
      this.#failed = { error, until: clock.monotonic() + failedMs };
      onFailure(error);
      throw error;
    }
  }

  #throwIfFailed(now: number): void {
    if (this.#failed && now < this.#failed.until) throw this.#failed.error;
  }

  #remember(what: string): void {
    if (this.#misses.size >= mostMisses) this.#misses.clear();
    this.#misses.set(what, this.#options.clock.monotonic() + missMs);
  }
}
