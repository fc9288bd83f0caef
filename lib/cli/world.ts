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
  /** A person looks on, at a terminal that takes colours and moves of the cursor. */
  readonly isTerminal: boolean;
  /** How wide the terminal is by now; undefined where nobody knows. */
  readonly columns?: number | undefined;
}
