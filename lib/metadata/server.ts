import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { AppError } from '../model/errors.ts';
import { type Clock, turnEnd } from '../platform/clock.ts';
import { cut, orphanNone } from '../platform/linger.ts';
import { answerOf, answerTo, closed, type Heard, isTaken, trySend } from './answering.ts';
import type { Rate } from './budget.ts';
import { Connections, type StandingOf } from './connections.ts';
import { limits } from './limits.ts';
import { Quota, usualRate } from './quota.ts';
import { type Answer, rawAnswer, refuse } from './reply.ts';
import type { Handler, Trace } from './stages.ts';

/** A request when it is over, for the log line and the metrics. `status` 0: the client left before it had an answer. */
export interface Served {
  readonly requestId: string;
  readonly method: string;
  readonly trace: Trace;
  readonly code: Answer['code'];
  readonly status: number;
  readonly ms: number;
  /** When it was over, ms of the monotonic clock. */
  readonly at: number;
  readonly address: string | undefined;
  /** What went wrong upstream. */
  readonly cause?: unknown;
  /** What was thrown where nothing should throw. */
  readonly failure?: unknown;
}

export interface ListenerOptions {
  readonly clock: Clock;
  readonly onServed: (served: Served) => void;
  /** How long the head of a request may take, ms, and twice that with its body; 10 s unless said, and never more. */
  readonly headMs?: number;
  /** For each address; {@link usualRate} unless said. */
  readonly rate?: Rate;
  /** Who may connect; unless said, everybody is known. */
  readonly standingOf?: StandingOf;
}

/** The pods' listener: every reply is JSON with a request id, also to what is not HTTP. */
export class MetadataListener {
  readonly #server: Server;
  readonly #options: ListenerOptions;
  readonly #connections: Connections;
  readonly #quota: Quota;
  readonly #newest = new WeakMap<Duplex, IncomingMessage>();
  #closing = false;
  #closed: Promise<void> | undefined;

  constructor(handler: Handler, options: ListenerOptions) {
    this.#options = options;
    const standingOf = options.standingOf ?? (() => 'known');
    this.#connections = new Connections(options.clock, { standingOf });
    this.#quota = new Quota(options.clock, options.rate ?? usualRate, (ip) => standingOf(ip) === 'known');
    const headersTimeout = Math.min(limits.headMs, options.headMs ?? limits.headMs);
    this.#server = createServer({
      ...limits.http,
      headersTimeout,
      requestTimeout: 2 * headersTimeout,
      connectionsCheckingInterval: headersTimeout / 5,
    });
    const serve = (req: IncomingMessage, res: ServerResponse): void => this.#hear(handler, req, res);
    this.#server.on('request', serve);
    // `Expect` is handled like any other request, and refused there; Node would send 100 or a bare 417.
    this.#server.on('checkContinue', serve);
    this.#server.on('checkExpectation', serve);
    this.#server.on('connect', (_req, socket) => {
      // Node has let go of it; without a listener, the reset of a client would end the process.
      socket.on('error', () => undefined);
      void this.#connections.inTurn(socket, () => this.#malformed(socket, refuse('method-refused')));
    });
    this.#server.on('clientError', (error, socket) => this.#garbled(socket, answerTo(error)));
    orphanNone(this.#server, options.clock, limits.lingerMs);
    this.#server.on('connection', (socket) => {
      if (!this.#connections.admit(socket)) this.#unheard(socket, refuse('too-many-connections'));
    });
    // A failing accept (no file descriptor is left) concerns that connection only.
    this.#server.on('error', () => undefined);
    this.#server.maxConnections = limits.connections;
    this.#server.maxHeadersCount = limits.headers;
    this.#server.timeout = limits.silenceMs;
  }

  /** Resolves with the bound port when connections are accepted; others may have a `shared` one, too. Throws AppError `listen-failed`. */
  async listen(host: string, port: number, { shared = false } = {}): Promise<number> {
    try {
      this.#server.listen({ host, port, reusePort: shared });
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

  /** Takes no new connection, lets requests in flight end, and cuts what is left after `deadlineMs`; again to cut sooner. */
  async close(deadlineMs: number): Promise<void> {
    if (!this.#closed && !this.#server.listening) return;
    this.#closing = true;
    const deadline = this.#options.clock.after(deadlineMs, () => this.#server.closeAllConnections());
    this.#closed ??= new Promise((resolve) => this.#server.close(() => resolve()));
    await this.#closed;
    deadline.cancel();
  }

  /** Takes a request in, or refuses it when its address asks for too much. */
  #hear(handler: Handler, req: IncomingMessage, res: ServerResponse): void {
    const { socket } = req; // Node takes it away from a request that breaks off
    if (socket.destroyed) return; // cut before; Node still hands out what came in the same packet
    // It was told that the last answer was the last.
    if (socket.writableEnded) {
      cut(socket);
      return;
    }
    this.#newest.set(socket, req);
    const address = socket.remoteAddress ?? '';
    const isSurplus = this.#connections.isSurplus(socket);
    const refused = isSurplus ? refuse('too-many-connections', true) : this.#quota.enter(address);
    const heard = { req, res, socket };
    if (!refused) void this.#admitted(handler, heard, address);
    else if (this.#connections.isBusy(socket)) {
      // Pipelined behind others, which no SDK does: a queue of refusals would be kept in memory for nothing.
      cut(socket);
      this.#unheard(socket, refused);
    } else void this.#connections.inTurn(socket, () => this.#serve(this.#slowly(refused), heard));
  }

  async #admitted(handler: Handler, heard: Heard, address: string): Promise<void> {
    try {
      await this.#connections.inTurn(heard.socket, () => this.#serve(handler, heard));
    } finally {
      this.#quota.leave(address);
    }
  }

  /** A refusal that costs who floods a quarter of a second on each connection, so that it cannot make us busy with it. */
  #slowly(refused: Answer): Handler {
    return async (_req, _trace, signal) => {
      await this.#options.clock.sleep(limits.refusalMs, signal);
      return refused;
    };
  }

  /** Whether the connection goes on behind this request. */
  async #serve(handler: Handler, heard: Heard): Promise<boolean> {
    const { req, res, socket } = heard;
    const { remoteAddress: address } = socket;
    const requestId = randomUUID();
    const started = this.#options.clock.monotonic();
    const trace: Trace = { route: 'refused' };
    const { answer, thrown } = await answerOf(handler, heard, trace);
    // What is pipelined behind it may be followed by the client's end, after which Node sends no more than is begun.
    if (!this.#connections.isFollowed(socket)) await turnEnd();
    const close = this.#closing || answer.close === true || socket.bytesWritten > limits.written;
    const left = !socket.writable;
    const failure = left ? undefined : (trySend(res, { ...answer, close }, requestId) ?? thrown);
    this.#options.onServed({
      requestId,
      method: req.method ?? '',
      trace,
      code: answer.code,
      status: left ? 0 : answer.status,
      ms: this.#options.clock.monotonic() - started,
      at: this.#options.clock.monotonic(),
      address,
      ...(answer.cause === undefined ? {} : { cause: answer.cause }),
      ...(failure === undefined ? {} : { failure }),
    });
    // The next turn comes when this answer has left: a client that does not read gets no second one into our memory.
    if (!left && !isTaken(heard) && !socket.destroyed) {
      const unread = this.#options.clock.after(limits.unreadMs, () => cut(socket));
      await closed(res);
      unread.cancel();
    }
    return !close && res.shouldKeepAlive && socket.writable;
  }

  /** Garbage behind whole requests waits until these are answered; a request that it is part of will never be whole. */
  #garbled(socket: Duplex, answer: Answer): void {
    const refuseIt = (): false => this.#malformed(socket, answer);
    if (this.#newest.get(socket)?.complete === false) refuseIt();
    else void this.#connections.inTurn(socket, refuseIt);
  }

  /** Ends a connection that carried no request, with an answer where there is somebody to read it. */
  #malformed(socket: Duplex, answer: Answer): false {
    const { remoteAddress: address, bytesRead } = socket as Socket;
    // Opened and left alone, as Java's SDK does to see whether there is an IMDS: no request, so none failed.
    if (!socket.writable || bytesRead === 0) {
      socket.destroy();
      return false;
    }
    const refused = this.#quota.enter(address ?? '');
    if (refused) {
      cut(socket as Socket);
      this.#unheard(socket as Socket, refused);
      return false;
    }
    this.#quota.leave(address ?? '');
    const requestId = randomUUID();
    socket.end(rawAnswer(answer, requestId, 'Refused'));
    socket.once('finish', () => socket.destroy());
    this.#options.onServed({ ...this.#unasked(answer), requestId, address });
    return false;
  }

  /** Records that a connection was ended without an answer. */
  #unheard({ remoteAddress: address }: Socket, refused: Answer): void {
    this.#options.onServed({ ...this.#unasked(refused), requestId: randomUUID(), address, status: 0 });
  }

  /** What there is to tell where no request was handled. */
  #unasked({ code, status }: Answer) {
    return {
      method: '',
      trace: { route: 'refused' as const },
      code,
      status,
      ms: 0,
      at: this.#options.clock.monotonic(),
    };
  }
}
