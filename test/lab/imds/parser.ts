export interface ParsedRequest {
  /** False for a line that is no request: such bytes are answered 400, and reading goes on behind the line. */
  readonly wellFormed: boolean;
  readonly raw: Buffer;
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
}

/** 1 MB: what a connection may leave unfinished before it is given up. */
const maxPending = 1024 * 1024;
const requestLine =
  /^([A-Za-z]+)[ \t]+([/\\*]\S*|[A-Za-z]+:\/\/.*?|[/\\].*?)(?:[ \t]+HTTP\/(\d(?:\.\d)?))?[ \t]*$/;

/**
 * Reads HTTP/1.1 as the most credulous upstream might, so that a smuggled request would be served, and counted. Where the
 * standards leave two readings it takes the one under which the request ends sooner and the rest counts as the next:
 * - Content-Length wins over Transfer-Encoding (Node and http-proxy read the other way round), the smallest of several wins;
 * - any Transfer-Encoding that mentions `chunked` is chunked; a chunk size that is no number ends the body;
 * - a line that is no request does not end the connection;
 * - bare LF, blanks before a colon, folded headers and a missing version are taken as they come.
 */
export class LenientParser {
  #pending: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
  }

  /** True when more waits than any honest request needs. */
  get overflown(): boolean {
    return this.#pending.length > maxPending;
  }

  /** The next whole request, or undefined until more bytes come. */
  next(): ParsedRequest | undefined {
    let start = 0;
    while (this.#pending[start] === 13 || this.#pending[start] === 10) start++;
    this.#pending = this.#pending.subarray(start);
    const text = this.#pending.toString('latin1');
    const firstEnd = text.indexOf('\n');
    if (firstEnd < 0) return undefined;
    const first = requestLine.exec(text.slice(0, firstEnd).replace(/\r$/, ''));
    if (!first)
      return this.#take(
        { wellFormed: false, method: '', target: '', version: '', headers: [] },
        firstEnd + 1,
        emptyBody,
      );
    const blank = /\n\r?\n/.exec(text);
    if (!blank) return undefined;
    const headEnd = blank.index + blank[0].length;
    const headers = parseHeaders(text.slice(firstEnd + 1, blank.index));
    const body = readBody(this.#pending.subarray(headEnd), headers);
    if (!body) return undefined;
    const [, method = '', target = '', version = '0.9'] = first;
    return this.#take(
      { wellFormed: true, method: method.toUpperCase(), target, version, headers },
      headEnd,
      body,
    );
  }

  #take(head: Omit<ParsedRequest, 'raw' | 'body'>, headEnd: number, { body, length }: Body): ParsedRequest {
    const raw = this.#pending.subarray(0, headEnd + length);
    this.#pending = this.#pending.subarray(headEnd + length);
    return { ...head, raw, body };
  }
}

export function headerValues(headers: ParsedRequest['headers'], name: string): string[] {
  return headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
}

function parseHeaders(text: string): [string, string][] {
  const unfolded = text.replace(/\r?\n[ \t]+/g, ' ');
  return unfolded
    .split(/\r?\n/)
    .filter((line) => line.includes(':'))
    .map((line) => [line.slice(0, line.indexOf(':')).trim(), line.slice(line.indexOf(':') + 1).trim()]);
}

interface Body {
  readonly body: Buffer;
  /** How many bytes it took on the wire. */
  readonly length: number;
}

const emptyBody: Body = { body: Buffer.alloc(0), length: 0 };

function readBody(rest: Buffer, headers: ParsedRequest['headers']): Body | undefined {
  const lengths = headerValues(headers, 'content-length').map((value) => Number.parseInt(value, 10) || 0);
  if (lengths.length > 0) {
    const length = Math.max(0, Math.min(...lengths));
    return rest.length < length ? undefined : { body: rest.subarray(0, length), length };
  }
  const chunked = headerValues(headers, 'transfer-encoding').some((value) => /chunked/i.test(value));
  return chunked ? readChunks(rest) : emptyBody;
}

function readChunks(rest: Buffer): Body | undefined {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = rest.indexOf(10, at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(rest.toString('latin1', at, lineEnd), 16) || 0;
    const start = lineEnd + 1;
    if (size === 0) return endOfChunks(rest, start, chunks);
    if (rest.length < start + size + 1) return undefined;
    chunks.push(rest.subarray(start, start + size));
    at = start + size;
    if (rest[at] === 13) at++;
    if (rest[at] === 10) at++;
  }
}

/** Trailers, up to a blank line. */
function endOfChunks(rest: Buffer, start: number, chunks: readonly Buffer[]): Body | undefined {
  const trailers = /^(?:[^\n]*:[^\n]*\n)*\r?\n/.exec(rest.toString('latin1', start));
  return trailers ? { body: Buffer.concat(chunks), length: start + trailers[0].length } : undefined;
}
