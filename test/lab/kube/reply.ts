import type { IncomingMessage, ServerResponse } from 'node:http';
import { isJson, type Json } from './object.ts';
import * as status from './status.ts';

/** The API server's own limit, bytes. */
const maxBody = 3 * 1024 * 1024;

/** Sends JSON, or a string as plain text. */
export function send(res: ServerResponse, code: number, body: Json | string | readonly unknown[]): void {
  const retryAfter = isJson(body) && isJson(body.details) ? body.details.retryAfterSeconds : undefined;
  if (retryAfter !== undefined) res.setHeader('retry-after', String(retryAfter));
  const text = typeof body === 'string' ? body : `${JSON.stringify(body)}\n`;
  const type = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json';
  res.writeHead(code, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
  res.end(text);
}

/** Without its parameters. */
export const mediaType = (req: IncomingMessage): string =>
  (req.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';

/** The JSON body of a create or update. */
export async function readJson(req: IncomingMessage): Promise<unknown> {
  const type = mediaType(req);
  if (type && type !== 'application/json') throw status.unsupportedMediaType(['application/json']);
  return parse(await readBody(req));
}

export async function readBody(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBody) throw status.failure(413, 'RequestEntityTooLarge', `limit is ${maxBody}`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Throws 400 when it is not JSON. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw status.badRequest(`couldn't get version/kind; json parse error`);
  }
}
