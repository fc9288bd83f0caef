import type { Pod } from '../model/pod.ts';
import type { Clock } from '../platform/clock.ts';
import { type Holder, PodIndex } from './pod-index.ts';

export interface LiveLookOptions {
  readonly clock: Clock;
  /** Lists this node's pods from the API server, once, with its own deadline. Rejects when there is no answer. */
  readonly list: () => Promise<readonly Pod[]>;
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
 * time serves all who ask meanwhile.
 */
export class LiveLook {
  readonly #options: LiveLookOptions;
  readonly #misses = new Map<string, number>();
  #underWay: Promise<PodIndex> | undefined;
  #lastBegun = Number.NEGATIVE_INFINITY;
  #failed: { readonly error: unknown; readonly until: number } | undefined;

  constructor(options: LiveLookOptions) {
    this.#options = options;
  }

  /** Rejects as `list` does, and for 5 s after it did. */
  async holderOf(ip: string): Promise<Holder> {
    const now = this.#options.clock.monotonic();
    if (now < (this.#misses.get(ip) ?? now)) return { kind: 'none' };
    if (this.#failed && now < this.#failed.until) throw this.#failed.error;
    this.#underWay ??= this.#look().finally(() => {
      this.#underWay = undefined;
    });
    const holder = (await this.#underWay).settledHolderOf(ip);
    if (holder.kind === 'none') this.#remember(ip);
    return holder;
  }

  async #look(): Promise<PodIndex> {
    const { clock, list } = this.#options;
    const early = this.#lastBegun + apartMs - clock.monotonic();
    if (early > 0) await clock.sleep(early);
    this.#lastBegun = clock.monotonic();
    try {
      const index = new PodIndex();
      index.replace(await list());
      return index;
    } catch (error) {
      this.#failed = { error, until: clock.monotonic() + failedMs };
      throw error;
    }
  }

  #remember(ip: string): void {
    if (this.#misses.size >= mostMisses) this.#misses.clear();
    this.#misses.set(ip, this.#options.clock.monotonic() + missMs);
  }
}
