import { AppError, isAppError } from '../model/errors.ts';
import type { Token } from '../model/token.ts';
import type { Asker, Leave, Outcome } from '../model/turn.ts';
import type { Clock } from '../platform/clock.ts';
import { waitFor } from '../platform/wait.ts';
import type { EnterSource } from './source.ts';

/** A source has a deadline of its own; this one only keeps a source that forgets it from holding its turn for ever. */
const deadlineMs = 15_000;

export interface FlightOptions {
  readonly clock: Clock;
  readonly enter: EnterSource;
  readonly call: () => Promise<Token>;
  /** Once, before anybody who waits is told. */
  readonly onOver: (failure?: { readonly error: unknown }) => void;
}

interface Place {
  readonly until: number;
  /** Resolves when the call has begun, by whosever turn; rejects when this place was waited for in vain. */
  readonly taken: Promise<void>;
}

/**
 * One call that all share who ask for the same token. Each who joins before it has begun stands in the queue for it under
 * his own name, and the first turn begins it: nobody waits in another's line, and a renewal of the agent's own, which
 * waits for everybody, hurries as soon as a pod needs it. Its deadline counts from there, and nobody's leaving ends it.
 */
export class Flight {
  readonly #options: FlightOptions;
  readonly #token = Promise.withResolvers<Token>();
  readonly #begun = new AbortController();
  readonly #places = new Map<string, Place>();
  #standing = 0;

  constructor(options: FlightOptions) {
    this.#options = options;
    this.#token.promise.catch(() => undefined); // those who joined are told; maybe nobody is left
  }

  /** Rejects as the call does, and with `imds-busy` when it has not begun in this asker's time. */
  async join(asker: Asker): Promise<Token> {
    if (!this.#begun.signal.aborted) await this.#placeOf(asker).taken;
    return this.#token.promise;
  }

  /** One place for all of the same pod, unless it may stand longer than this one would wait. */
  #placeOf(asker: Asker): Place {
    const known = this.#places.get(asker.who);
    if (known && known.until <= asker.until) return known;
    const place = { until: asker.until, taken: this.#stand(asker) };
    this.#places.set(asker.who, place);
    return place;
  }

  async #stand(asker: Asker): Promise<void> {
    this.#standing += 1;
    try {
      const leave = await this.#options.enter(asker, this.#begun.signal);
      if (this.#begun.signal.aborted) leave('unused');
      else void this.#fly(leave);
    } catch (error) {
      if (this.#begun.signal.aborted) return;
      this.#places.delete(asker.who);
      this.#standing -= 1;
      if (this.#standing === 0) this.#end({ error });
      throw error;
    }
  }

  async #fly(leave: Leave): Promise<void> {
    this.#begun.abort();
    const { clock, call } = this.#options;
    try {
      const calling = call();
      if (!(await waitFor(calling, deadlineMs, { clock, signal: new AbortController().signal })))
        throw new AppError('imds-timeout', `the source gave no token within ${deadlineMs} ms`);
      leave({ status: 200, retryAfter: undefined });
      this.#end({ token: await calling });
    } catch (error) {
      leave(outcomeOf(error));
      this.#end({ error });
    }
  }

  #end(result: { token: Token } | { error: unknown }): void {
    this.#options.onOver('error' in result ? result : undefined);
    if ('error' in result) this.#token.reject(result.error);
    else this.#token.resolve(result.token);
  }
}

function outcomeOf(error: unknown): Outcome {
  if (!isAppError(error) || error.status === undefined) return 'unanswered';
  return { status: error.status, retryAfter: error.retryAfter };
}
