import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Imds } from './imds.ts';

type Address = Pick<Imds, 'host' | 'port'>;

/** A token request that lacks only the name of an identity. */
export const tokenTarget =
  '/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net';

export async function open(at: Address): Promise<Socket> {
  const socket = connect(at.port, at.host);
  await once(socket, 'connect');
  return socket;
}

/** Sends the bytes as they are, closes the sending side and reads to the end. */
export async function exchange(at: Address, bytes: string): Promise<string> {
  const socket = await open(at);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => undefined);
  socket.end(bytes, 'latin1');
  await once(socket, 'close');
  return Buffer.concat(chunks).toString('latin1');
}

/** A GET with these header lines and a Host. */
export function get(target: string, ...headers: string[]): string {
  return `${[`GET ${target} HTTP/1.1`, 'Host: 169.254.169.254', ...headers].join('\r\n')}\r\n\r\n`;
}

/** A GET with `Metadata: true`. */
export const asked = (target: string): string => get(target, 'Metadata: true');

/** NaN where there is no status line. */
export function statusOf(reply: string): number {
  return Number(/^HTTP\/1\.1 (\d+)/.exec(reply)?.[1]);
}

/** The JSON body of a single reply. Throws when it is none. */
export function bodyOf(reply: string): Record<string, unknown> {
  return JSON.parse(reply.slice(reply.indexOf('\r\n\r\n') + 4)) as Record<string, unknown>;
}
