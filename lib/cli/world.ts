import type { Environment } from '../config/parse.ts';
import type { Clock } from '../platform/clock.ts';

/** The process that a command runs in. */
export interface World {
  readonly env: Environment;
  /** The user's home folder, where kubectl keeps its configuration. */
  readonly home: string;
  readonly stdout: Stream;
  readonly stderr: Stream;
  readonly clock: Clock;
  /** Told to end: Ctrl-C, or a reader that has gone. */
  readonly signal: AbortSignal;
}

export interface Stream {
  readonly write: (text: string) => void;
  /** A person looks on. */
  readonly isTerminal: boolean;
}
