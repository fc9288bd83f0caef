import type { Enter } from '../model/turn.ts';
import type { TokenSource } from './source.ts';

/** The same source, each of its calls after a turn for tokens. */
export function governed(source: TokenSource, enter: Enter): TokenSource {
  return {
    authority: (identity) => source.authority(identity),
    credential: (identity) => source.credential(identity),
    fetch: (identity, resource) => source.fetch(identity, resource),
    enter: (asker, signal) => enter('token', asker, signal),
  };
}
