import { buildConnector, Pool } from 'undici';
import type { Clock } from './clock.ts';
import { unlessAborted } from './wait.ts';

/** Why there is no answer. `too-large`: it passed `maxBytes` and was dropped. */
export type HttpProblem = 'unreachable' | 'timeout' | 'too-large';

export class HttpFailure extends Error {
  readonly problem: HttpProblem;

  constructor(problem: HttpProblem, cause: unknown) {
    super(`no answer: ${problem}`, { cause });
    this.name = 'HttpFailure';
    this.problem = problem;
  }
}

export interface HttpAnswer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: string;
}

export interface HttpClientOptions {
  /** `http://169.254.169.254:80`; nothing else is ever asked: no redirect is followed and no proxy used. */
  readonly origin: string;
  readonly connections: number;
  readonly maxBytes: number;
  readonly clock: Clock;
  /** A request is made a second time. */
  readonly onAgain?: () => void;
}

/**
 * GETs from one origin over kept connections. The other side may close one at the moment in which it is used again, which says
 * nothing of the service: such a request is made once more. Rejects with HttpFailure.
 */
export interface HttpClient {
  get(path: string, options: { headers: Record<string, string>; deadlineMs: number }): Promise<HttpAnswer>;
  close(): Promise<void>;
}

export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { origin, connections, maxBytes, clock, onAgain } = options;
  const lost = new WeakSet<Error>();
  const pool = new Pool(origin, { connections, pipelining: 1, connect: noting(lost) });
  return {
    async get(path, { headers, deadlineMs }) {
      const late = new AbortController();
      const deadline = clock.after(deadlineMs, () => late.abort());
      const send = (): ReturnType<Pool['request']> =>
        unlessAborted(pool.request({ method: 'GET', path, headers, signal: late.signal }), late.signal);
      const sendAgain = (error: Error): ReturnType<typeof send> => {
        if (late.signal.aborted || !lost.has(error)) throw error;
        onAgain?.();
        return send();
      };
      try {
        const response = await send().catch(sendAgain);
        const retryAfter = response.headers['retry-after'];
        const body = await readText(response.body, maxBytes);
        return {
          status: response.statusCode,
          retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
          body,
        };
      } catch (error) {
        if (error instanceof HttpFailure) throw error;
        throw new HttpFailure(late.signal.aborted ? 'timeout' : 'unreachable', error);
      } finally {
        deadline.cancel();
      }
    },
    close: () => pool.destroy(),
  };
}

/** How the other side's end of a connection shows. */
const ends: readonly unknown[] = ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'];

/** Connects as undici does, and notes the error that ends a connection on which something had been answered before. */
function noting(lost: WeakSet<Error>): buildConnector.connector {
  const connect = buildConnector({});
  return (options, done) =>
    connect(options, (...connected) => {
      const [, socket] = connected;
      socket?.once('error', (error: NodeJS.ErrnoException) => {
        if (socket.bytesRead > 0 && ends.includes(error.code)) lost.add(error);
      });
      done(...connected);
    });
}

async function readText(body: AsyncIterable<Buffer>, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw new HttpFailure('too-large', undefined);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
