import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type Clock, systemClock } from '../../../lib/platform/clock.ts';
import { defaultTokens, type Tokens, type User } from './access.ts';
import { type Fault, Faults, parseFault } from './faults.ts';
import { handle, type LoggedRequest, type World } from './handler.ts';
import { kindNamed } from './kinds.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { Listener } from './listener.ts';
import type { KubeInput, KubeObject } from './object.ts';
import { Objects } from './objects.ts';
import { readBody, send } from './reply.ts';
import { putDirect } from './seed.ts';
import { Store } from './store.ts';
import { selfSigned } from './tls.ts';

export interface KubeApiOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Path of a unix socket that serves the same API without TLS, as admin, and /lab. */
  readonly socket?: string;
  /** Default: `admin-token` may do anything, `nmi-token` and `mic-token` what the ClusterRoles of the two grant. */
  readonly tokens?: Tokens;
  readonly clock?: Clock;
  /** Between bookmarks, ms; the real server's minute by default. */
  readonly bookmarkMs?: number;
}

/** A running stand-in. */
export interface KubeApi {
  readonly url: string;
  readonly port: number;
  /** PEM. */
  readonly ca: string;
  /** A kubeconfig for a token, as JSON (which is YAML). */
  kubeconfig(token: string): string;
  /** Writes an object as it is, status included, past all rules; makes its namespace. For what kubelet and others do. */
  put(object: KubeInput): KubeObject;
  get(kind: string, namespace: string | undefined, name: string): KubeObject | undefined;
  /** Removes at once, whatever its finalizers say. */
  remove(kind: string, namespace: string | undefined, name: string): void;
  fault(fault: Fault): Promise<void>;
  /** What has come in, oldest first, both doors. */
  requests(): readonly LoggedRequest[];
  clearRequests(): void;
  /** Open watches, and open connections to the TLS port. */
  counts(): { watches: number; connections: number };
  close(): Promise<void>;
}

/** Starts the stand-in for the Kubernetes API; resolves when it listens. */
export async function startKubeApi(options: KubeApiOptions = {}): Promise<KubeApi> {
  const { host = '127.0.0.1', clock = systemClock, tokens = defaultTokens } = options;
  const world = createWorld(clock, tokens, options.bookmarkMs ?? 60_000);
  const { key, cert } = selfSigned(host);
  const port = new Listener(
    createTlsServer({ key, cert }, (req, res) => void handle(world, 'tls', req, res)),
  );
  const admin = new Listener(createServer((req, res) => void handleAdmin(api, world, req, res)));
  const address = await port.listen({ host, port: options.port ?? 0 });
  if (options.socket) await admin.listen({ path: options.socket });
  const url = `https://${host}:${address.port}`;
  const api: KubeApi = {
    url,
    port: address.port,
    ca: cert,
    kubeconfig: (token) => writeKubeconfig(url, cert, token),
    put: (object) => putDirect(world.store, clock, object),
    get: (kind, namespace, name) => world.store.get(kindNamed(kind), namespace, name),
    remove: (kind, namespace, name) => world.store.remove(kindNamed(kind), namespace, name),
    async fault(fault) {
      world.faults.apply(fault);
      if (fault.compact) world.store.compact();
      setTokens(world.tokens, { ...(fault.clear ? tokens : {}), ...fault.tokens });
      if (fault.drop) port.drop();
      if (fault.away === true) await port.close();
      if (fault.away === false || fault.clear) await port.listen({ host, port: address.port });
    },
    requests: () => world.requests,
    clearRequests: () => void world.requests.splice(0),
    counts: () => ({ watches: world.watches.size, connections: port.connections }),
    async close() {
      for (const stop of world.watches) stop();
      await Promise.all([port.close(), admin.close()]);
    },
  };
  return api;
}

function setTokens(known: Map<string, User>, changes: Readonly<Record<string, User | null>>): void {
  for (const [token, user] of Object.entries(changes)) {
    if (user) known.set(token, user);
    else known.delete(token);
  }
}

function createWorld(clock: Clock, tokens: Tokens, bookmarkMs: number): World {
  const store = new Store();
  for (const name of ['default', 'kube-node-lease', 'kube-public', 'kube-system']) {
    putDirect(store, clock, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
  return {
    store,
    objects: new Objects(store, clock),
    clock,
    faults: new Faults(bookmarkMs),
    tokens: new Map(Object.entries(tokens)),
    requests: [],
    watches: new Set(),
  };
}

/** The unix socket: the API, and `/lab` for tests that stand outside of the stand-in's network namespace. */
async function handleAdmin(
  api: KubeApi,
  world: World,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  switch (`${req.method} ${req.url}`) {
    case 'POST /lab/faults':
      try {
        await api.fault(parseFault(await readBody(req)));
        return send(res, 200, {});
      } catch (error) {
        return send(res, 400, `${error}\n`);
      }
    case 'GET /lab/requests':
      return send(res, 200, api.requests());
    case 'DELETE /lab/requests':
      api.clearRequests();
      return send(res, 200, {});
    case 'GET /lab/counts':
      return send(res, 200, api.counts());
    default:
      return handle(world, 'socket', req, res);
  }
}
