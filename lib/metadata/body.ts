import type { IncomingMessage } from 'node:http';

const maxBody = 64 * 1024;

/** Reads a request's body whole, whatever its framing; 64 kB at most. Rejects when the client breaks off. */
export async function readBody(req: IncomingMessage): Promise<Buffer | 'too-large'> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBody) return 'too-large';
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
