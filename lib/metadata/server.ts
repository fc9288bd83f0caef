import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { AppError } from '../model/errors.ts';
import type { Clock } from '../platform/clock.ts';
import { Connections } from './connections.ts';
import type { Handler, Trace } from './handler.ts';
import { type Answer, rawAnswer, refuse, send } from './reply.ts';

/** A request when it is over, for the log line and the metrics. `status` 0: the client left before it had an answer. */
export interface Served {
  readonly requestId: string;
  readonly method: string;
  readonly trace: Trace;
  readonly code: Answer['code'];
  readonly status: number;
  readonly ms: number;
  readonly address: string | undefined;
  /** What was thrown where nothing should throw. */
  readonly failure?: unknown;
}

export interface ListenerOptions {
  readonly clock: Clock;
  readonly onServed: (served: Served) => void;
  /** How long the head of a request may take, ms; 10 s unless said, and never more. */
  readonly headMs?: number;
}

/** The pods' listener: every reply is JSON with a request id, also to what is not HTTP. */
export class MetadataListener {
  readonly #server: Server;
  readonly #options: ListenerOptions;
  readonly #connections = new Connections();
  readonly #newest = new WeakMap<Duplex, IncomingMessage>();
  #closing = false;

  constructor(handler: Handler, options: ListenerOptions) {
    this.#options = options;
    const headersTimeout = Math.min(limits.headersTimeout, options.headMs ?? limits.headersTimeout);
    const connectionsCheckingInterval = headersTimeout / 5;
    this.#server = createServer({ ...limits, headersTimeout, connectionsCheckingInterval });
    const serve = (req: IncomingMessage, res: ServerResponse): void => {
      const { socket } = req; // Node takes it away from a request that breaks off
      this.#newest.set(socket, req);
      this.#connections.inTurn(socket, () => this.#serve(handler, { req, res, socket }));
    };
    this.#server.on('request', serve);
    // `Expect` is handled like any other request, and refused there; Node would send 100 or a bare 417.
    this.#server.on('checkContinue', serve);
    this.#server.on('checkExpectation', serve);
    this.#server.on('connect', (_req, socket) => {
      // Node has let go of it; without a listener, the reset of a client would end the process.
      socket.on('error', () => undefined);
      this.#connections.inTurn(socket, () => this.#malformed(socket, refuse('method-refused')));
    });
    this.#server.on('clientError', (error, socket) => this.#garbled(socket, answerTo(error)));
    this.#server.on('connection', (socket) => this.#connections.admit(socket));
    // A failing accept (no file descriptor is left) concerns that connection only.
    this.#server.on('error', () => undefined);
    this.#server.maxConnections = 8192;
    this.#server.timeout = silenceMs;
  }

  /** Resolves with the bound port when connections are accepted. Throws AppError `listen-failed`. */
  async listen(host: string, port: number): Promise<number> {
    try {
      this.#server.listen({ host, port });
      await once(this.#server, 'listening');
    } catch (error) {
      throw new AppError(
        'listen-failed',
        `cannot listen on ${host} port ${port}: ${(error as Error).message}`,
        { cause: error },
      );
    }
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : port;
  }

  get listening(): boolean {
    return this.#server.listening;
  }

  /** Takes no new connection, lets requests in flight end, and cuts what is left after `deadlineMs`. */
  async close(deadlineMs: number): Promise<void> {
    if (!this.#server.listening) return;
    this.#closing = true;
    const cut = this.#options.clock.after(deadlineMs, () => this.#server.closeAllConnections());
    await new Promise((resolve) => this.#server.close(resolve));
    cut.cancel();
  }

  /** Whether the connection goes on behind this request. */
  async #serve(handler: Handler, exchange: Exchange): Promise<boolean> {
    const { req, res, socket } = exchange;
    const { remoteAddress: address } = socket;
    const requestId = randomUUID();
    const started = this.#options.clock.monotonic();
    const trace: Trace = { route: 'refused' };
    const { answer, thrown } = await answerOf(handler, exchange, trace);
    const close = this.#closing || answer.close === true;
    const left = !socket.writable;
    const failure = left ? undefined : (trySend(res, { ...answer, close }, requestId) ?? thrown);
    this.#options.onServed({
      requestId,
      method: req.method ?? '',
      trace,
      code: answer.code,
      status: left ? 0 : answer.status,
      ms: this.#options.clock.monotonic() - started,
      address,
      ...(failure === undefined ? {} : { failure }),
    });
    return !close && res.shouldKeepAlive && socket.writable;
  }

  /** Garbage behind whole requests waits until these are answered; a request that it is part of will never be whole. */
  #garbled(socket: Duplex, answer: Answer): void {
    const refuseIt = (): false => this.#malformed(socket, answer);
    if (this.#newest.get(socket)?.complete === false) refuseIt();
    else this.#connections.inTurn(socket, refuseIt);
  }

  /** Ends a connection that carried no request, with an answer where there is somebody to read it. */
  #malformed(socket: Duplex, answer: Answer): false {
    const { remoteAddress: address, bytesRead } = socket as Socket;
    // Opened and left alone, as Java's SDK does to see whether there is an IMDS: no request, so none failed.
    if (!socket.writable || bytesRead === 0) {
      socket.destroy();
      return false;
    }
    const requestId = randomUUID();
    socket.end(rawAnswer(answer, requestId, 'Refused'));
    socket.once('finish', () => socket.destroy());
    const trace: Trace = { route: 'refused' };
    const { code, status } = answer;
    this.#options.onServed({ requestId, method: '', trace, code, status, ms: 0, address });
    return false;
  }
}

interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly socket: Socket;
}

/** Never rejects. The handler's signal aborts when the client leaves. */
async function answerOf(
  handler: Handler,
  { req, socket }: Exchange,
  trace: Trace,
): Promise<{ answer: Answer; thrown?: unknown }> {
  if (!isHttp1(req)) return { answer: refuse('http-malformed', true) };
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  socket.once('close', leave);
  if (socket.destroyed) leave();
  try {
    return { answer: await handler(req, trace, gone.signal) };
  } catch (thrown) {
    return { answer: refuse('internal-error', true), thrown };
  } finally {
    socket.off('close', leave);
  }
}

/** Gives what kept the answer from being sent, such as a header of IMDS that may not be; the connection is over then. */
function trySend(res: ServerResponse, answer: Answer, requestId: string): unknown {
  try {
    send(res, answer, requestId);
    return undefined;
  } catch (error) {
    res.destroy();
    return error;
  }
}

/** Each limit said out loud. A held token request may take 60 s, so answers have no time limit of their own here. */
const limits = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  keepAliveTimeout: 65_000,
  requireHostHeader: false, // Node would answer without JSON; isHttp1 below does it
  insecureHTTPParser: false,
} as const;

/** Longer than the longest hold; ends a connection whose client does not read its answer. */
const silenceMs = 120_000;

/** Node takes a line without a version for HTTP/0.9, and lets 2.0 pass. */
function isHttp1({ httpVersion, headers }: IncomingMessage): boolean {
  return httpVersion === '1.1' ? headers.host !== undefined : httpVersion === '1.0';
}

function answerTo(error: Error & { code?: string }): Answer {
  if (error.code === 'HPE_HEADER_OVERFLOW') return refuse('http-too-large');
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return refuse('http-too-slow');
  return refuse('http-malformed');
}
