import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent, createServer as createHttps, request, type Server } from 'node:https';
import type { Socket } from 'node:net';
import { type Use, useOf, userIn } from './uses.ts';

export interface GateOptions {
  readonly host: string;
  readonly port: number;
  /** PEM; what it shows to agents. */
  readonly tls: { readonly key: string; readonly cert: string };
  /** The API server, `https://HOST:PORT`, and the CA that it is known by, PEM. */
  readonly server: string;
  readonly ca: string;
}

/** What stands between the agents and the API server: writes down who uses which right, and can be shut. */
export interface Gate {
  /** Different uses since the last `clear`, in order. */
  uses(): readonly Use[];
  clear(): void;
  /** To agents the API server is down: connections end and new ones are refused. */
  shut(): Promise<void>;
  open(): Promise<void>;
}

/** Shut at first. */
export function createGate({ host, port, tls, server, ca }: GateOptions): Gate {
  const uses = new Map<string, Use>();
  const sockets = new Set<Socket>();
  const agent = new Agent({ keepAlive: true, ca });
  const note = (use: Use | undefined): void => {
    if (use) uses.set(JSON.stringify(use), use);
  };
  const listener = (asked: IncomingMessage, response: ServerResponse): void =>
    pass(asked, response, { server, agent, note });
  let door: Server | undefined;
  return {
    uses: () => [...uses.values()],
    clear: () => uses.clear(),
    async shut() {
      const closing = door;
      door = undefined;
      closing?.close();
      for (const socket of sockets) socket.destroy();
      if (closing) await once(closing, 'close');
    },
    async open() {
      if (door) return;
      door = createHttps(tls, listener);
      door.on('connection', (socket: Socket) => {
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket));
      });
      door.listen(port, host);
      await once(door, 'listening');
    },
  };
}

interface Passing {
  readonly server: string;
  readonly agent: Agent;
  readonly note: (use: Use | undefined) => void;
}

/** The request as it is, with its token; the answer as it comes, so that watches work. */
function pass(asked: IncomingMessage, response: ServerResponse, { server, agent, note }: Passing): void {
  const { method = '', url = '', headers } = asked;
  const { host: _ours, ...kept } = headers;
  const sent = request(`${server}${url}`, { method, headers: kept, agent }, (answer) => {
    const { statusCode = 502 } = answer;
    note(useOf(userIn(headers.authorization ?? ''), method, url, statusCode));
    response.writeHead(statusCode, answer.headers);
    response.flushHeaders();
    answer.on('error', () => response.destroy());
    answer.pipe(response);
  });
  sent.on('error', () => response.destroy());
  response.on('close', () => sent.destroy());
  asked.on('error', () => sent.destroy());
  asked.pipe(sent);
}

/** `POST /open`, `/shut`, `/clear` and `GET /uses` over a unix socket, which no network namespace confines. Gives what ends it. */
export async function serveGateControl(gate: Gate, socketPath: string): Promise<() => Promise<void>> {
  const calls: Readonly<Record<string, () => unknown>> = {
    '/open': gate.open,
    '/shut': gate.shut,
    '/clear': gate.clear,
    '/uses': gate.uses,
  };
  const server = createServer((asked, response) => {
    const call = calls[asked.url ?? ''];
    if (!call) return void response.writeHead(404).end('{}');
    Promise.resolve(call()).then(
      (value) => response.end(JSON.stringify(value ?? null)),
      (error: unknown) => response.writeHead(500).end(JSON.stringify(String(error))),
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
