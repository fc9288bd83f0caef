import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { type Certificate, selfSigned } from './certificate.ts';

export interface Call {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
}

export type Answer = (response: ServerResponse, call: Call) => void;

const certificate = selfSigned();

/**
 * An HTTPS server in this process that speaks as much of the API server's protocol as a test tells it to, and breaks it at
 * will. Lists and watches are answered from their queues; without an entry, with an empty list of resourceVersion 10 and
 * with a watch that stays open.
 */
export class HostileApi {
  readonly calls: Call[] = [];
  readonly lists: Answer[] = [];
  readonly watches: Answer[] = [];
  /** Watches that have been left open, oldest first. */
  readonly streams: ServerResponse[] = [];
  readonly dir = mkdtempSync(join(tmpdir(), 'kube-'));
  readonly certificate: Certificate;
  /** Common names of the client certificates shown, in order. */
  readonly clientNames: string[] = [];
  /** Connections ever accepted. */
  accepted = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  private constructor(own: Certificate) {
    this.certificate = own;
    this.#server = createServer({
      cert: own.cert,
      key: own.key,
      requestCert: true,
      rejectUnauthorized: false,
    });
    this.#server.on('connection', (socket: Socket) => this.#accept(socket));
    this.#server.on('secureConnection', (socket: TLSSocket) => {
      const name = socket.getPeerCertificate().subject?.CN;
      if (name) this.clientNames.push(String(name));
    });
    this.#server.on('request', (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'https://api');
      const call = { path: pathname, query: Object.fromEntries(searchParams), headers: request.headers };
      this.calls.push(call);
      response.on('error', () => undefined);
      const queue = call.query.watch === 'true' ? this.watches : this.lists;
      const answer = queue.shift() ?? (queue === this.watches ? this.holdOpen : listOf([]));
      answer(response, call);
    });
  }

  static async start(own: Certificate = certificate): Promise<HostileApi> {
    const api = new HostileApi(own);
    api.#server.listen(0, '127.0.0.1');
    await once(api.#server, 'listening');
    return api;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  /** The watch requests so far. */
  get watchCalls(): readonly Call[] {
    return this.calls.filter((call) => call.query.watch === 'true');
  }

  /** The list requests so far. */
  get listCalls(): readonly Call[] {
    return this.calls.filter((call) => call.query.watch !== 'true');
  }

  /** Begins a watch and leaves it to the test, in `streams`. */
  readonly holdOpen: Answer = (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    this.streams.push(response);
  };

  /** Writes a kubeconfig (JSON is YAML) and returns its path. `user` is its user entry, `more` goes to its cluster's. */
  kubeconfig(user: object = { token: 'first-token' }, more: object = {}): string {
    const path = join(this.dir, 'kubeconfig');
    const cluster = {
      server: this.url,
      'certificate-authority-data': Buffer.from(this.certificate.cert).toString('base64'),
      ...more,
    };
    const config = {
      'current-context': 'here',
      contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user }],
    };
    writeFileSync(path, JSON.stringify(config));
    return path;
  }

  /** Writes a service account's files; the token may be written again later. */
  serviceAccount(token: string): string {
    writeFileSync(join(this.dir, 'token'), token);
    writeFileSync(join(this.dir, 'ca.crt'), this.certificate.cert);
    return this.dir;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
    rmSync(this.dir, { recursive: true, force: true });
  }

  #accept(socket: Socket): void {
    this.accepted += 1;
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
  }
}

/** Answers with one page of a list. */
export function listOf(items: readonly unknown[], resourceVersion = '10', next = ''): Answer {
  return json(200, { kind: 'List', metadata: { resourceVersion, ...(next && { continue: next }) }, items });
}

/** Answers with a Status object, as the API server does to say no. */
export function refuse(code: number, message = 'no', headers: Readonly<Record<string, string>> = {}): Answer {
  return json(code, { kind: 'Status', status: 'Failure', message, code }, headers);
}

/** Closes the connection without a word. */
export const dropAtOnce: Answer = (response) => void response.socket?.destroy();

/** Never says anything. */
export const stall: Answer = () => undefined;

/** A watch that sends these bytes and then ends as HTTP wants it. */
export function sendAndClose(bytes: string): Answer {
  return (response) => void response.writeHead(200).end(bytes);
}

/** One line of a watch. */
export function line(type: string, object: unknown): string {
  return `${JSON.stringify({ type, object })}\n`;
}

export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };
}
