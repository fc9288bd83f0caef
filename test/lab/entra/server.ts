import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Directory, type Reply } from './directory.ts';
import { issue } from './issued.ts';
import { refusal } from './refusals.ts';
import type { EntraFault } from './types.ts';

export interface Entra {
  readonly port: number;
  /** Its certificate, PEM, to be trusted: it is its own CA. */
  readonly ca: string;
  readonly directory: Directory;
  close(): Promise<void>;
}

const tokenPath = /^\/[^/]+\/oauth2\/v2\.0\/token$/;

export interface EntraOptions {
  readonly host: string;
  readonly port: number;
  /** What it is called beside its address. */
  readonly names?: readonly string[];
}

/** The v2 token endpoint of Microsoft Entra ID over TLS, without a tenant until an application is registered. */
export async function startEntra({ host, port, names = [] }: EntraOptions): Promise<Entra> {
  const { key, cert } = issue('entra-stand-in', { names: [host, ...names] });
  const directory = new Directory();
  const server = createServer({ key, cert }, (request, response) => {
    handle(directory, request, response).catch(() => response.destroy());
  });
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    ca: cert,
    directory,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function handle(
  directory: Directory,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const [path = '', query] = (request.url ?? '').split('?');
  if (!tokenPath.test(path)) return void response.writeHead(404).end();
  if (request.method !== 'POST') return reply(response, refusal(900561));
  const sent = Buffer.concat(chunks).toString();
  const form = new URLSearchParams(query === undefined ? sent : `${query}&${sent}`);
  const { remoteAddress = '' } = request.socket;
  const asked = { host: request.headers.host ?? '', path, form, remoteAddress };
  const fault = directory.takeFault(path);
  if (!fault) return reply(response, directory.answer(asked));
  const instead = replyOf(fault, sent);
  directory.answer(asked, instead);
  if (fault.kind === 'reset') request.socket.destroy();
  else if (fault.kind !== 'silence') reply(response, instead, fault.retryAfter);
}

function replyOf({ kind = 'status', status, body }: EntraFault, sent: string): Reply {
  if (kind === 'garbage') return { status: status ?? 200, body: '<html>' };
  if (kind === 'echo')
    return { status: 400, body: JSON.stringify({ error: 'invalid_request', error_description: sent }) };
  const words = { error: 'temporarily_unavailable', error_description: 'AADSTS50196: The server is busy.' };
  return { status: kind === 'status' ? (status ?? 503) : 0, body: body ?? JSON.stringify(words) };
}

function reply(response: ServerResponse, { status, body }: Reply, retryAfter?: string): void {
  if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter);
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(body);
}
