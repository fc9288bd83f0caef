import type { User } from './access.ts';
import { isJson } from './object.ts';

/** Answers the next `count` requests that match, in place of the API. */
export interface AnswerFault {
  readonly count: number;
  /** 200 with a `body` that is garbage is a fault, too. Default 500. */
  readonly status?: number;
  readonly body?: string;
  readonly retryAfterSeconds?: number;
  /** Cuts the connection instead of answering. */
  readonly reset?: boolean;
  /** The API does what it is asked, and the connection is cut instead of its answer. */
  readonly lost?: boolean;
  /** Only requests with this verb (`list`, `watch`, `get`, …). */
  readonly verb?: string;
  /** Only requests for this resource (`pods`). */
  readonly plural?: string;
}

/**
 * What can go wrong with an API server, for tests to ask for. Several fields may stand together. Faults strike
 * the TLS door alone, so that the admin socket keeps control.
 */
export interface Fault {
  /** Ends every fault that is on, tokens included, before anything else. */
  readonly clear?: true;
  readonly answer?: AnswerFault;
  /** Replaces or, with null, withdraws tokens. */
  readonly tokens?: Readonly<Record<string, User | null>>;
  /** Plurals that are answered as if their CRD were not installed. */
  readonly hide?: readonly string[];
  /** Between bookmarks of watches that open from now on, ms. */
  readonly bookmarkMs?: number;
  /** Forgets the history: older resourceVersions and continue tokens answer 410. */
  readonly compact?: true;
  /** While true, watches stay open and silent; what they missed comes at the end. */
  readonly stall?: boolean;
  /** Cuts every open connection. */
  readonly drop?: true;
  /** While true, the port refuses connections. */
  readonly away?: boolean;
}

const fields = ['clear', 'answer', 'tokens', 'hide', 'bookmarkMs', 'compact', 'stall', 'drop', 'away'];

/** A fault that came as JSON. Throws on a field that there is not, so that a typing error does not pass for calm. */
export function parseFault(text: string): Fault {
  const value: unknown = JSON.parse(text);
  if (!isJson(value)) throw new Error('a fault is an object');
  const unknown = Object.keys(value).filter((field) => !fields.includes(field));
  if (unknown.length > 0) throw new Error(`no such fault: ${unknown.join(', ')}`);
  return value;
}

/** The faults that are on. Listeners and connections are the server's; see `fault` in server.ts. */
export class Faults {
  readonly hidden = new Set<string>();
  readonly #initialBookmarkMs: number;
  bookmarkMs: number;
  #answers: (AnswerFault & { left: number })[] = [];
  #stalled = false;
  readonly #waiting = new Set<() => void>();

  constructor(bookmarkMs: number) {
    this.#initialBookmarkMs = bookmarkMs;
    this.bookmarkMs = bookmarkMs;
  }

  apply(fault: Fault): void {
    if (fault.clear) this.#clear();
    if (fault.answer) this.#answers.push({ ...fault.answer, left: fault.answer.count });
    if (fault.hide) {
      this.hidden.clear();
      for (const plural of fault.hide) this.hidden.add(plural);
    }
    if (fault.bookmarkMs !== undefined) this.bookmarkMs = fault.bookmarkMs;
    if (fault.stall !== undefined) this.#stall(fault.stall);
  }

  /** The answer to give to this request in place of the API's, if any; counts it. */
  take(verb: string, plural: string): AnswerFault | undefined {
    const fits = (answer: AnswerFault & { left: number }): boolean =>
      answer.left > 0 && (answer.verb ?? verb) === verb && (answer.plural ?? plural) === plural;
    const found = this.#answers.find(fits);
    if (found) found.left -= 1;
    return found;
  }

  get stalled(): boolean {
    return this.#stalled;
  }

  /** Calls `run` when watches may speak again. Returns the call that forgets it. */
  onResume(run: () => void): () => void {
    this.#waiting.add(run);
    return () => void this.#waiting.delete(run);
  }

  #stall(on: boolean): void {
    this.#stalled = on;
    if (!on) for (const run of this.#waiting) run();
  }

  #clear(): void {
    this.#answers = [];
    this.hidden.clear();
    this.bookmarkMs = this.#initialBookmarkMs;
    this.#stall(false);
  }
}
