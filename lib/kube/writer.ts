import { isAppError } from '../model/errors.ts';
import { backoffMs, retryAfterMs } from './backoff.ts';
import type { Connection, KubeRequest } from './connection.ts';
import type { Turns } from './turns.ts';

/**
 * A request that may be made again although the first may have been carried out: by its nature (GET), or because it names what
 * it was decided on. A PUT or PATCH names a resourceVersion, a DELETE its preconditions, a POST the object: what was carried
 * out already then answers 409 or 404, and the caller looks. POST with `generateName` is none: it would make a second object.
 */
export interface Repeatable extends Pick<KubeRequest, 'method' | 'body' | 'contentType' | 'query'> {
  readonly path: string;
  /** Whose turn it is; see turns.ts. */
  readonly lane: string;
}

export interface WriterOptions {
  readonly connection: Connection;
  readonly turns: Turns;
  /** 0 to 1, as Math.random. */
  readonly random: () => number;
}

const attempts = 5;
const passing: readonly number[] = [429, 500, 502, 503, 504];
/** An object is at most 1.5 MB in etcd, and somewhat more as JSON. */
const maxBytes = 4 * 1024 * 1024;

/**
 * Single requests to the API server in turn, made again where that can help: after 429 (nothing was done; not before its
 * Retry-After), after 500, 502, 503 and 504, and where no answer came. Everything else is the caller's to judge: AppError `kube-refused`
 * with status 409 above all, after which it has to read the object anew.
 */
export class Writer {
  readonly #options: WriterOptions;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /** The answer's JSON. Throws as `Connection.json` after the last attempt, and the signal's reason when it aborts. */
  async send({ path, lane, ...request }: Repeatable, signal: AbortSignal): Promise<unknown> {
    const { connection, turns, random } = this.#options;
    const once = (): Promise<unknown> => connection.json(path, { ...request, maxBytes, signal });
    for (let attempt = 1; ; attempt++) {
      try {
        return await turns.run(lane, once, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (attempt === attempts || !mayPass(error)) throw error;
        await connection.clock.sleep(retryAfterMs(error) + backoffMs(attempt, random), signal);
        signal.throwIfAborted();
      }
    }
  }
}

/** Whether it is the API server's trouble, or the way's, and not the request's. */
function mayPass(error: unknown): boolean {
  if (!isAppError(error)) return false;
  if (error.code === 'kube-unreachable' || error.code === 'kube-timeout') return true;
  return error.code === 'kube-refused' && passing.includes(error.status ?? 0);
}
