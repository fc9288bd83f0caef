import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Answer, refuse, send } from './reply.ts';
import type { Handler, Trace } from './stages.ts';

/** A request, and what its answer goes to. */
export interface Heard {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly socket: Socket;
}

/** Nothing of the answer is left in our memory: it has a connection, and the kernel has taken all of it. */
export function isTaken({ res, socket }: Heard): boolean {
  return res.writableFinished || (res.socket === socket && socket.writableLength === 0);
}

/** Until the answer has left, or cannot any more. */
export function closed(res: ServerResponse): Promise<void> {
  return new Promise((resolve) => res.once('close', resolve));
}

/** Never rejects. The handler's signal aborts when the client leaves. */
export async function answerOf(
  handler: Handler,
  { req, socket }: Heard,
  trace: Trace,
): Promise<{ answer: Answer; thrown?: unknown }> {
  if (!isHttp1(req)) return { answer: refuse('http-malformed', true) };
  try {
    return { answer: await handler(req, trace, goneSignal(socket)) };
  } catch (thrown) {
    return { answer: refuse('internal-error', true), thrown };
  }
}

const gone = new WeakMap<Socket, AbortSignal>();

/** One for all requests of a connection: a signal for each would be a tenth of what an answer costs. */
function goneSignal(socket: Socket): AbortSignal {
  const known = gone.get(socket);
  if (known) return known;
  const left = new AbortController();
  gone.set(socket, left.signal);
  if (socket.destroyed) left.abort();
  else socket.once('close', () => left.abort());
  return left.signal;
}

/** Gives what kept the answer from being sent, such as a header of IMDS that may not be; the connection is over then. */
export function trySend(res: ServerResponse, answer: Answer, requestId: string): unknown {
  try {
    send(res, answer, requestId);
    return undefined;
  } catch (error) {
    res.destroy();
    return error;
  }
}

/** Node takes a line without a version for HTTP/0.9, and lets 2.0 pass. */
function isHttp1({ httpVersion, headers }: IncomingMessage): boolean {
  return httpVersion === '1.1' ? headers.host !== undefined : httpVersion === '1.0';
}

/** The answer to what Node could not read as a request. */
export function answerTo(error: Error & { code?: string }): Answer {
  if (error.code === 'HPE_HEADER_OVERFLOW') return refuse('http-too-large');
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return refuse('http-too-slow');
  return refuse('http-malformed');
}
