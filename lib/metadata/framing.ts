import type { IncomingMessage } from 'node:http';

/** Node gives no body event for `content-length: 0`, which SDKs and proxies add to a GET. */
export function hasBody({ headers }: IncomingMessage): boolean {
  if (headers['transfer-encoding'] !== undefined) return true;
  return headers['content-length'] !== undefined && headers['content-length'] !== '0';
}

/**
 * Java's own HTTP client offers `Upgrade: h2c` with every plain request (measured, 17); a server may ignore it, and IMDS
 * does. Any other upgrade, and `Expect`, is nothing that an SDK sends.
 */
export function isPlain({ headers }: IncomingMessage): boolean {
  return headers.expect === undefined && (headers.upgrade ?? 'h2c') === 'h2c';
}
