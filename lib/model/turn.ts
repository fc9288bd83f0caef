/** What IMDS's limits tell apart: calls for tokens, and the metadata documents that are passed through. */
export type UpstreamKind = 'token' | 'pass';

/** For whom a call is made. */
export interface Asker {
  /** The pod's key or its address; '' is the agent itself, which lets pods go first. */
  readonly who: string;
  /** How long the call may wait for its turn: ms of the monotonic clock. */
  readonly until: number;
}

/** What came of a call. `unanswered`: there was no whole answer; `unused`: the turn was given back, nothing was sent. */
export type Outcome =
  | { readonly status: number; readonly retryAfter: string | undefined }
  | 'unanswered'
  | 'unused';

/** Gives the turn back, once. */
export type Leave = (outcome: Outcome) => void;

/** Waits for a turn towards IMDS. Rejects with AppError `imds-busy`, and with the signal's reason when it aborts before. */
export type Enter = (kind: UpstreamKind, asker: Asker, signal?: AbortSignal) => Promise<Leave>;
