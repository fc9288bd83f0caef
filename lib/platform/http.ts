import { Pool } from 'undici';
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
}

/** GETs from one origin over kept connections. Rejects with HttpFailure. */
export interface HttpClient {
  get(path: string, options: { headers: Record<string, string>; deadlineMs: number }): Promise<HttpAnswer>;
  close(): Promise<void>;
}

export function createHttpClient({ origin, connections, maxBytes, clock }: HttpClientOptions): HttpClient {
  const pool = new Pool(origin, { connections, pipelining: 1 });
  return {
    async get(path, { headers, deadlineMs }) {
      const late = new AbortController();
      const deadline = clock.after(deadlineMs, () => late.abort());
      try {
        const sent = pool.request({ method: 'GET', path, headers, signal: late.signal });
        const response = await unlessAborted(sent, late.signal);
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
