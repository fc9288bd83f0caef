import type { Caller } from '../model/decision.ts';
import type { Holder, PodIndex } from './pod-index.ts';

export interface DirectoryOptions {
  readonly index: PodIndex;
  /** Is the watch heard often enough to be believed? */
  readonly fresh: () => boolean;
  /** A fresh look at the API server; rejects when it gives no answer. */
  readonly live: (ip: string) => Promise<Holder>;
  readonly onLiveFailure: (error: unknown) => void;
}

/**
 * Source address → pod of this node, once the index has been filled. What the watch knows for sure is answered at once;
 * the rest is settled by one live look. If the API server is out of reach, what is known still serves, and what is not known stays unknown: never the
 * node's identity for an unknown caller.
 */
export function createDirectory(options: DirectoryOptions): (ip: string) => Promise<Caller> {
  return async (ip) => {
    const known = options.index.holderOf(ip);
    if (known.kind === 'pod' && options.fresh()) return known;
    try {
      return asCaller(await options.live(ip));
    } catch (error) {
      options.onLiveFailure(error);
      return asCaller(known);
    }
  };
}

function asCaller(holder: Holder): Caller {
  if (holder.kind === 'pod') return holder;
  return { kind: holder.kind === 'unsure' ? 'unsettled' : 'unknown' };
}
