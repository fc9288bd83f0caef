import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../../lib/platform/clock.ts';
import { type Access, admin, anonymous, authorize, type User } from './access.ts';
import { parseDeleteOptions } from './deletion.ts';
import { discover } from './discovery.ts';
import type { AnswerFault, Faults } from './faults.ts';
import { checkRevision, list } from './list.ts';
import type { Json } from './object.ts';
import type { Objects, Target } from './objects.ts';
import { mediaType, parse, readBody, readJson, send } from './reply.ts';
import { route } from './routes.ts';
import { parseSelectors } from './selectors.ts';
import * as status from './status.ts';
import type { Store } from './store.ts';
import { openWatch, type WatchSink } from './watch.ts';

/** A request as the log keeps it. `status` is 0 until it is answered, and stays 0 when it was cut. */
export interface LoggedRequest {
  readonly door: Door;
  readonly method: string;
  readonly path: string;
  readonly user: string;
  readonly userAgent: string;
  status: number;
}

/** `tls`: the port, with tokens and faults. `socket`: the unix socket, as admin, never struck by a fault. */
export type Door = 'tls' | 'socket';

/** All that a request works on. */
export interface World {
  readonly store: Store;
  readonly objects: Objects;
  readonly clock: Clock;
  readonly faults: Faults;
  readonly tokens: Map<string, User>;
  readonly requests: LoggedRequest[];
  readonly watches: Set<() => void>;
}

const maxLog = 10_000;

/** Answers one request of the Kubernetes API. Never rejects. */
export async function handle(
  world: World,
  door: Door,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const logged = log(world, door, req);
  res.on('close', () => {
    if (res.headersSent) logged.status = res.statusCode;
  });
  try {
    const url = parseUrl(req.url);
    const user = door === 'socket' ? admin : authenticate(world.tokens, req.headers.authorization);
    Object.assign(logged, { user: user.name });
    const found = discover(url.pathname, world.faults.hidden);
    if (found !== undefined && req.method === 'GET') return send(res, 200, found);
    const access = route(req.method ?? '', url, door === 'tls' ? world.faults.hidden : new Set());
    const fault = door === 'tls' ? world.faults.take(access.verb, access.kind.plural) : undefined;
    if (fault && !fault.lost) return answerFault(res, fault);
    authorize(user, access);
    if (fault) loseAnswer(res);
    await serve(world, { door, access, query: url.searchParams }, req, res);
  } catch (error) {
    if (res.headersSent) res.destroy();
    else if (error instanceof status.ApiError) send(res, error.code, error.body);
    else send(res, 500, status.failure(500, 'InternalError', `stand-in: ${error}`).body);
  }
}

interface Asked {
  readonly door: Door;
  readonly access: Access;
  readonly query: URLSearchParams;
}

async function serve(world: World, asked: Asked, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { access, query } = asked;
  const { verb, kind, namespace } = access;
  const { store, objects } = world;
  const target = targetOf(access);
  switch (verb) {
    case 'list':
      return send(res, 200, list(store, kind, namespace, query));
    case 'watch':
      return watch(world, asked, res);
    case 'get':
      checkRevision(store, query);
      return send(res, 200, objects.get(target));
    case 'create':
      return send(res, 201, objects.create(kind, namespace, await readJson(req)));
    case 'update':
      return send(res, 200, objects.update(target, await readJson(req)));
    case 'patch': {
      const patch = await readBody(req);
      return send(res, 200, objects.patch(target, parse(patch), mediaType(req)));
    }
    case 'delete': {
      const body = await readBody(req);
      return send(
        res,
        200,
        objects.remove(target, parseDeleteOptions(query, body ? parse(body) : undefined)),
      );
    }
    default:
      return send(res, 200, removeAll(world, asked));
  }
}

function targetOf({ kind, namespace, name = '', subresource }: Access): Target {
  return {
    kind,
    name,
    ...(namespace ? { namespace } : {}),
    ...(subresource ? { subresource: 'status' } : {}),
  };
}

function removeAll({ store, objects }: World, { access, query }: Asked): Json {
  const matches = parseSelectors(access.kind, query);
  const doomed = [...store.state(access.kind).values()].filter(
    (object) => matches(object) && (!access.namespace || object.metadata.namespace === access.namespace),
  );
  for (const { metadata } of doomed) objects.remove(targetOf({ ...access, name: metadata.name }), {});
  return status.listBody(access.kind, { resourceVersion: String(store.revision) }, doomed);
}

/** Lines are held back while watches are stalled, and come in order afterwards. */
function watch(world: World, { door, access, query }: Asked, res: ServerResponse): void {
  const held: (string | undefined)[] = [];
  const emit = (line: string | undefined): void => {
    if (line === undefined) res.end();
    else res.write(line);
  };
  const hold = (line: string | undefined): void => {
    if (door === 'tls' && world.faults.stalled) held.push(line);
    else emit(line);
  };
  const { kind, namespace } = access;
  const request = { kind, query, bookmarkMs: world.faults.bookmarkMs, ...(namespace ? { namespace } : {}) };
  const begin = (): void => {
    if (!res.headersSent) res.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
  };
  // The headers wait for the first event only so that a selector that is refused can still answer 400.
  const sink: WatchSink = {
    event(event) {
      begin();
      hold(`${JSON.stringify(event)}\n`);
    },
    end() {
      begin();
      hold(undefined);
    },
  };
  const stop = openWatch(world.store, world.clock, request, sink);
  begin();
  const forget = world.faults.onResume(() => held.splice(0).forEach(emit));
  world.watches.add(stop);
  res.on('close', () => {
    stop();
    forget();
    world.watches.delete(stop);
  });
}

function parseUrl(target = ''): URL {
  if (!URL.canParse(target, 'http://api')) throw status.noSuchPage();
  return new URL(target, 'http://api');
}

/** No token is the anonymous user, who then is refused with 403; a token that nobody has is a 401. */
function authenticate(tokens: ReadonlyMap<string, User>, header: string | undefined): User {
  if (!header) return anonymous;
  const user = tokens.get(header.replace(/^Bearer /i, ''));
  if (!user) throw status.unauthorized();
  return user;
}

function log(world: World, door: Door, req: IncomingMessage): LoggedRequest {
  const { method = '', url: path = '' } = req;
  const entry = { door, method, path, user: '', userAgent: req.headers['user-agent'] ?? '', status: 0 };
  world.requests.push(entry);
  if (world.requests.length > maxLog) world.requests.splice(0, maxLog / 2);
  return entry;
}

function loseAnswer(res: ServerResponse): void {
  res.writeHead = () => res.destroy();
  res.end = () => res.destroy();
}

function answerFault(
  res: ServerResponse,
  { reset, status: code = 500, body, retryAfterSeconds }: AnswerFault,
): void {
  if (reset) return void res.destroy();
  if (retryAfterSeconds !== undefined) res.setHeader('retry-after', String(retryAfterSeconds));
  send(res, code, body ?? status.failure(code, '', 'a fault that the test asked for').body);
}
