import type { Socket } from 'node:net';
import { systemClock } from '../../../lib/platform/clock.ts';
import { type Answer, answer } from './answers.ts';
import type { Book, OpenRecord } from './book.ts';
import { headerValues, LenientParser, type ParsedRequest } from './parser.ts';
import { type NormalTarget, normalise } from './target.ts';
import type { ConnectionRecord, Fault } from './types.ts';

const reasons: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  410: 'Gone',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** Answers what arrives on one socket, strictly in order, until it closes. */
export function serve(socket: Socket, book: Book): void {
  const from = book.connected((socket.remoteAddress ?? '').replace(/^::ffff:/, ''), socket.remotePort ?? 0);
  const closed = new AbortController();
  const parser = new LenientParser();
  let busy = Promise.resolve();
  socket.on('error', () => undefined);
  socket.on('close', () => closed.abort());
  socket.on('data', (chunk) => {
    parser.push(chunk);
    if (parser.overflown) socket.destroy();
    busy = busy.then(() => drain(parser, { socket, book, from, closed: closed.signal }));
  });
  socket.on('end', () => {
    busy = busy.then(() => void socket.end());
  });
}

interface Exchange {
  readonly socket: Socket;
  readonly book: Book;
  readonly from: ConnectionRecord;
  readonly closed: AbortSignal;
}

async function drain(parser: LenientParser, exchange: Exchange): Promise<void> {
  for (let request = parser.next(); request && !exchange.closed.aborted; request = parser.next()) {
    await respond(request, exchange);
  }
}

async function respond(request: ParsedRequest, exchange: Exchange): Promise<void> {
  const { book, from } = exchange;
  const target = normalise(request.target);
  const record = book.arrived(from, request, target);
  try {
    await play(request, target, record, exchange);
  } finally {
    book.finished();
  }
}

async function play(
  request: ParsedRequest,
  target: NormalTarget,
  record: OpenRecord,
  exchange: Exchange,
): Promise<void> {
  const { socket, book, closed } = exchange;
  const fault = book.takeFault(target.path);
  await pause((fault?.afterMs ?? 0) + book.settings.latencyMs, closed);
  if (fault?.kind === 'hang') {
    record.answered = 'hang';
    return untilLeft(socket, closed);
  }
  if (fault?.kind === 'reset' || closed.aborted) {
    record.answered = 'reset';
    return void socket.resetAndDestroy();
  }
  const reply = faulty(fault) ?? answer(request, target, book.vm());
  record.answered = reply.status;
  record.issued = reply.issued;
  const last =
    request.version < '1.1' ||
    headerValues(request.headers, 'connection').some((value) => /close/i.test(value));
  await send(socket, render(reply, last, fault), fault, closed);
  if (last || fault?.kind === 'truncate') socket.end();
}

/** Until the client closes its side, or the connection is gone. */
function untilLeft(socket: Socket, closed: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readableEnded || closed.aborted) return resolve();
    socket.once('end', resolve);
    socket.once('close', () => resolve());
  });
}

function faulty(fault: Fault | undefined): Answer | undefined {
  if (fault?.kind === 'garbage') return { status: 200, body: '<html><body>\x00 not JSON {"access_token":' };
  if (fault?.kind !== 'status') return undefined;
  const body =
    fault.body ?? JSON.stringify({ error: 'unknown', error_description: `lab fault ${fault.status}` });
  return { status: fault.status, body };
}

function render({ status, body, contentType }: Answer, last: boolean, fault: Fault | undefined): Buffer {
  const retryAfter =
    fault?.kind === 'status' && fault.retryAfter !== undefined ? [`Retry-After: ${fault.retryAfter}`] : [];
  const head = [
    `HTTP/1.1 ${status} ${reasons[status] ?? 'Status'}`,
    `Content-Type: ${contentType ?? 'application/json; charset=utf-8'}`,
    'Server: IMDS/150.870.65.1854',
    `Date: ${new Date().toUTCString()}`,
    ...retryAfter,
    ...(last ? ['Connection: close'] : []),
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  const sent = fault?.kind === 'truncate' ? body.slice(0, body.length / 2) : body;
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${sent}`);
}

async function send(
  socket: Socket,
  bytes: Buffer,
  fault: Fault | undefined,
  closed: AbortSignal,
): Promise<void> {
  if (fault?.kind !== 'drip') return void socket.write(bytes);
  for (const byte of bytes) {
    if (closed.aborted) return;
    socket.write(Buffer.of(byte));
    await pause(fault.everyMs, closed);
  }
}

function pause(ms: number, closed: AbortSignal): Promise<void> {
  return ms > 0 ? systemClock.sleep(ms, closed) : Promise.resolve();
}
