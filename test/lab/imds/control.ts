import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Imds } from './imds.ts';
import type { ConnectionRecord, Fault, IssuedToken, RequestRecord, Settings, VmIdentity } from './types.ts';

/** What GET /log answers. */
export interface ImdsLog {
  readonly requests: readonly RequestRecord[];
  readonly connections: readonly ConnectionRecord[];
  readonly issued: readonly IssuedToken[];
}

/** The bodies of the POST calls, by path. */
export interface ImdsCommands {
  readonly '/clear': Record<string, never>;
  readonly '/identities': { readonly assign?: readonly VmIdentity[]; readonly unassign?: readonly string[] };
  readonly '/faults': { readonly add?: readonly Fault[]; readonly clear?: boolean };
  readonly '/settings': Partial<Settings>;
}

type Commands = { readonly [Path in keyof ImdsCommands]: (body: ImdsCommands[Path]) => void };

/**
 * Lets other processes steer the simulator: HTTP with JSON bodies over a unix socket, which no network namespace confines.
 * GET /log; POST /clear, /identities, /faults, /settings. Resolves with the function that ends it.
 */
export async function serveControl(imds: Imds, socketPath: string): Promise<() => Promise<void>> {
  const commands: Commands = {
    '/clear': () => imds.clear(),
    '/identities': ({ assign = [], unassign = [] }) => {
      imds.unassign(...unassign);
      imds.assign(...assign);
    },
    '/faults': ({ add = [], clear = false }) => {
      if (clear) imds.clearFaults();
      imds.fault(...add);
    },
    '/settings': (settings) => imds.configure(settings),
  };
  const server = createServer((request, response) => {
    handle(imds, commands, request, response).catch((error: unknown) =>
      reply(response, 400, { error: String(error) }),
    );
  });
  server.listen(socketPath);
  await once(server, 'listening');
  return async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
}

async function handle(
  imds: Imds,
  commands: Commands,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = request.url ?? '';
  if (request.method === 'GET' && path === '/log') {
    const log: ImdsLog = {
      requests: imds.log(),
      connections: imds.connections(),
      issued: imds.tokensIssued(),
    };
    return reply(response, 200, log);
  }
  if (request.method !== 'POST' || !Object.hasOwn(commands, path))
    return reply(response, 404, { error: 'no such call' });
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const command = commands[path as keyof Commands] as (body: unknown) => void;
  command(JSON.parse(Buffer.concat(chunks).toString() || '{}'));
  reply(response, 200, {});
}

function reply(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}
