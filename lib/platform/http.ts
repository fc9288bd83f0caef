import { buildConnector, type Dispatcher, EnvHttpProxyAgent, Pool } from 'undici';
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

/** An answer with all its headers: names in lower case, the values of one name with commas between. */
export interface HttpResponse extends HttpAnswer {
  readonly headers: Readonly<Record<string, string>>;
}

/** Only methods that may be sent twice. */
export interface HttpRequest {
  readonly method: 'GET' | 'PATCH';
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly deadlineMs: number;
}

export interface HttpProxy {
  /** '' for none. */
  readonly url: string;
  /** Hosts and domains that are reached without it, with commas between. */
  readonly except: string;
}

export interface HttpClientOptions {
  /** `http://169.254.169.254:80`; nothing else is ever asked, and no redirect is followed. */
  readonly origin: string;
  /** For https alone, and only where one is given; the environment is not read. */
  readonly proxy?: HttpProxy;
  readonly connections: number;
  readonly maxBytes: number;
  readonly clock: Clock;
  /** A request is made a second time. */
  readonly onAgain?: () => void;
}

/**
 * Asks one origin over kept connections. The other side may close one at the moment in which it is used again, which says
 * nothing of the service: such a request is made once more. Rejects with HttpFailure.
 */
export interface HttpClient {
  get(path: string, options: { headers: Record<string, string>; deadlineMs: number }): Promise<HttpAnswer>;
  send(request: HttpRequest): Promise<HttpResponse>;
  close(): Promise<void>;
}

export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { origin, maxBytes, clock, onAgain } = options;
  const lost = new WeakSet<Error>();
  const dispatcher = dispatcherOf(options, lost);
  const send = async ({ deadlineMs, ...request }: HttpRequest): Promise<HttpResponse> => {
    const late = new AbortController();
    const deadline = clock.after(deadlineMs, () => late.abort());
    const attempt = (): ReturnType<Dispatcher['request']> =>
      unlessAborted(dispatcher.request({ ...request, origin, signal: late.signal }), late.signal);
    const again = (error: Error): ReturnType<typeof attempt> => {
      if (late.signal.aborted || !lost.has(error)) throw error;
      onAgain?.();
      return attempt();
    };
    try {
      const { statusCode, headers: raw, body } = await attempt().catch(again);
      const retryAfter = raw['retry-after'];
      return {
        status: statusCode,
        headers: joined(raw),
        retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
        body: await readText(body, maxBytes),
      };
    } catch (error) {
      if (error instanceof HttpFailure) throw error;
      throw new HttpFailure(late.signal.aborted ? 'timeout' : 'unreachable', error);
    } finally {
      deadline.cancel();
    }
  };
  return {
    async get(path, { headers, deadlineMs }) {
      const { status, retryAfter, body } = await send({ method: 'GET', path, headers, deadlineMs });
      return { status, retryAfter, body };
    },
    send,
    close: () => dispatcher.destroy(),
  };
}

/** Through a proxy each connection serves one request: who closed a kept one could not be told there. */
function dispatcherOf(
  { origin, connections, proxy }: HttpClientOptions,
  lost: WeakSet<Error>,
): Pool | EnvHttpProxyAgent {
  if (!proxy || proxy.url === '')
    return new Pool(origin, { connections, pipelining: 1, connect: noting(lost) });
  const connect = { rejectUnauthorized: true, timeout: 10_000 };
  return new EnvHttpProxyAgent({
    ...{ httpProxy: '', httpsProxy: proxy.url, noProxy: proxy.except },
    ...{ connections, pipelining: 0, allowH2: false },
    ...{ connect, requestTls: connect, proxyTls: connect },
  });
}

function joined(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, value === undefined ? '' : String(value)]),
  );
}

/** How the other side's end of a connection shows. */
const ends: readonly unknown[] = ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'];

/** Connects as undici does, and notes the error that ends a connection on which something had been answered before. */
function noting(lost: WeakSet<Error>): buildConnector.connector {
  // Said outright, since NODE_TLS_REJECT_UNAUTHORIZED would turn it off.
  const connect = buildConnector({ allowH2: false, rejectUnauthorized: true });
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
