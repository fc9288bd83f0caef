import type { Caller } from '../model/decision.ts';
import type { Clock } from '../platform/clock.ts';
import type { Arrivals } from './arrivals.ts';
import type { LiveLook } from './live-look.ts';
import type { Holder, PodIndex } from './pod-index.ts';

/** How long a pod that is known waits to be confirmed while the watch is not to be believed, ms. */
const confirmMs = 500;

export interface DirectoryOptions {
  readonly clock: Clock;
  readonly index: PodIndex;
  /** Is the watch heard often enough to be believed? */
  readonly fresh: () => boolean;
  /** Fresh looks at the API server; each rejects when it gives no answer. */
  readonly live: Pick<LiveLook, 'holderOf' | 'named'>;
  readonly arrivals: Pick<Arrivals, 'wait'>;
}

/**
 * Source address or name → pod of this node, once the index has been filled. What the watch knows for sure is answered at
 * once; the rest is settled by one live look. If the API server is out of reach, what is known still serves, and what is
 * not known stays unknown: never the node's identity for an unknown caller.
 */
export class Directory {
  readonly #options: DirectoryOptions;

  constructor(options: DirectoryOptions) {
    this.#options = options;
  }

  /** Waits a moment for a pod whose address is not told yet, no longer than `signal`. */
  async at(ip: string, signal: AbortSignal): Promise<Caller> {
    const { index, live, fresh, arrivals } = this.#options;
    const known = index.holderOf(ip);
    if (known.kind === 'pod' && fresh()) return known; // nearly always
    let isAnswered = true;
    const look = (): Promise<Holder> =>
      live.holderOf(ip).catch((error) => {
        isAnswered = false;
        throw error;
      });
    const caller = await this.#settle(known, look);
    // Where the API server is away, nobody will come.
    if (caller.kind !== 'unknown' || !isAnswered || !fresh()) return caller;
    return (await arrivals.wait(ip, signal)) ? this.#settle(index.holderOf(ip), look) : caller;
  }

  named(namespace: string, name: string): Promise<Caller> {
    const { index, live } = this.#options;
    const key = `${namespace}/${name}`;
    const pod = index.get(key);
    return this.#settle(pod ? { kind: 'pod', pod } : { kind: 'none' }, () => live.named(key));
  }

  async #settle(known: Holder, look: () => Promise<Holder>): Promise<Caller> {
    if (known.kind === 'pod' && this.#options.fresh()) return known;
    const looked = look().catch(() => known);
    return asCaller(await (known.kind === 'pod' ? this.#confirmed(known, looked) : looked));
  }

  /** An API server that swallows packets must not make known pods wait for each failure. */
  async #confirmed(known: Holder, looked: Promise<Holder>): Promise<Holder> {
    const over = new AbortController();
    const timeout = this.#options.clock.sleep(confirmMs, over.signal).then(() => known);
    try {
      return await Promise.race([looked, timeout]);
    } finally {
      over.abort();
    }
  }
}

function asCaller(holder: Holder): Caller {
  if (holder.kind === 'pod') return holder;
  return { kind: holder.kind === 'unsure' ? 'unsettled' : 'unknown' };
}
