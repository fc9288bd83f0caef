import { once } from 'node:events';
import { Agent, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import httpProxy from 'http-proxy';
import type { Asker, UpstreamKind } from '../model/turn.ts';
import type { Clock } from '../platform/clock.ts';
import { type Answer, refuse } from './reply.ts';

/** What is sent to IMDS on a pod's behalf; nothing else of the pod's request goes upstream. */
export interface UpstreamRequest {
  readonly method: 'GET' | 'POST';
  /** Rebuilt by routes.ts. */
  readonly path: string;
  /** As the client wrote it, vetted by canonical.ts. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  /** A POST's body, read whole; empty for a GET. */
  readonly body: Buffer;
  readonly kind: UpstreamKind;
  readonly asker: Asker;
}

export interface PassThroughOptions {
  readonly ip: string;
  readonly port: number;
  readonly clock: Clock;
  /** For the whole exchange, ms. */
  readonly deadlineMs: number;
}

/** Sends one request to IMDS and reads its answer whole. Never throws: a failure is an Answer. */
export type PassThrough = (request: UpstreamRequest, signal: AbortSignal) => Promise<Answer>;

/** `x-forwarded-for` is not among them: IMDS refuses it. No hop-by-hop header, no length and no encoding of the client's. */
const allowedHeaders = [
  'metadata',
  'accept',
  'user-agent',
  'x-ms-client-request-id',
  'content-type',
] as const;

/** The largest instance document known is 20 kB. */
const maxAnswer = 1024 * 1024;

/**
 * http-proxy, kept on a short lead (measured: it rewrites odd paths into clean ones, sends the body of a chunked DELETE
 * behind `content-length: 0`, crashes without an error listener, and aborts neither way). It never sees the client's
 * request: it is given one made here, and its answer is read whole before the client gets a byte.
 */
export function createPassThrough(options: PassThroughOptions): PassThrough & { close(): void } {
  const agent = new Agent({ keepAlive: true, maxSockets: 16, maxFreeSockets: 4 });
  const target = { protocol: 'http:', host: options.ip, port: options.port };
  // toProxy: the path is taken as it is given, not parsed and rebuilt.
  const proxy = httpProxy.createProxyServer({ target, agent, toProxy: true, selfHandleResponse: true });
  const waiting = new WeakMap<IncomingMessage, (response: IncomingMessage) => void>();
  proxy.on('proxyRes', (response, request) => waiting.get(request)?.(response));
  // Each call has its own error callback; this one keeps a late error from ending the process.
  proxy.on('error', () => undefined);

  const passThrough = async (request: UpstreamRequest, signal: AbortSignal): Promise<Answer> => {
    const clean = cleanRequest(request, hostOf(options));
    const { promise: response, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const stop = (): void => {
      clean.emit('aborted'); // what http-proxy listens to in order to abort
      reject(new Error('stopped')); // it tells nobody when the request still had no socket, or was answered 101
    };
    let late = false;
    const deadline = options.clock.after(options.deadlineMs, () => {
      late = true;
      stop();
    });
    signal.addEventListener('abort', stop, { once: true });
    try {
      signal.throwIfAborted();
      waiting.set(clean, resolve);
      proxy.web(clean, neverWritten, {}, reject);
      return await readAnswer(await response);
    } catch (cause) {
      return { ...refuse(late ? 'upstream-timeout' : 'upstream-failed'), cause };
    } finally {
      deadline.cancel();
      signal.removeEventListener('abort', stop);
    }
  };
  return Object.assign(passThrough, { close: () => agent.destroy() });
}

/** http-proxy only asks it whether it is finished, because `selfHandleResponse` leaves the writing to us. */
const neverWritten = { headersSent: false, finished: false } as unknown as ServerResponse;

function hostOf({ ip, port }: PassThroughOptions): string {
  return port === 80 ? ip : `${ip}:${port}`;
}

function cleanRequest(request: UpstreamRequest, host: string): IncomingMessage {
  const kept = allowedHeaders.flatMap((name) => {
    const value = request.headers[name];
    return typeof value === 'string' ? [[name, value]] : [];
  });
  const length = request.method === 'POST' ? [['content-length', String(request.body.length)]] : [];
  return Object.assign(Readable.from(request.body.length ? [request.body] : []), {
    method: request.method,
    url: request.query === '' ? request.path : `${request.path}?${request.query}`,
    headers: Object.fromEntries([['host', host], ...kept, ...length]),
    socket: { destroyed: false },
  }) as unknown as IncomingMessage;
}

/** Describes the connection, not the document; the length is set anew when the answer is sent. */
const hopByHop = new Set(
  'connection keep-alive proxy-authenticate proxy-connection te trailer transfer-encoding upgrade content-length'.split(
    ' ',
  ),
);

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxAnswer) response.destroy(new Error('the answer is too large'));
    else chunks.push(chunk);
  });
  await once(response, 'end'); // rejects on 'error', which an answer that breaks off raises
  const headers = Object.entries(response.headers).flatMap(([name, value]) =>
    value === undefined || hopByHop.has(name) ? [] : [[name, value] as const],
  );
  return {
    code: 'upstream',
    status: response.statusCode ?? 502,
    headers: Object.fromEntries(headers),
    body: Buffer.concat(chunks),
  };
}
