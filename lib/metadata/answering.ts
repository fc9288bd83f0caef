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
