import type { IncomingMessage } from 'node:http';
import { remembering } from '../platform/memo.ts';
import { asNode, document } from './as-node.ts';
import { callerAddress } from './caller.ts';
import { canonicalTarget } from './canonical.ts';
import { hasBody, isPlain } from './framing.ts';
import { hostToken } from './host-token.ts';
import { turnBy } from './in-turn.ts';
import { type Answer, refuse } from './reply.ts';
import { type Route, routeOf } from './routes.ts';
import type { Exchange, Handler, HandlerOptions, Stages } from './stages.ts';
import { token } from './token-handler.ts';

/**
 * The path of a request. The order is part of the contract: the path before the header, since an SDK takes a 400 under
 * `/metadata/identity` for "there is an IMDSv2 here"; the header before any look-up, since SDKs probe without it and
 * wait one second at most.
 */
export function createHandler(stages: Stages, options: HandlerOptions): Handler {
  return async (req, trace, signal) => {
    const asked = askedBy(req.url ?? '');
    if (!asked) return refuse('path-refused', true);
    const { target, route } = asked;
    trace.route = route.kind;
    if (route.kind === 'nowhere') return refuse('path-unknown', hasBody(req));
    const until = turnBy(req.headers, options.clock);
    const exchange: Exchange = { req, target, path: route.path, trace, signal, until };
    if (route.kind === 'host') return checkHost(req, options) ?? hostToken(stages, options, exchange);
    const refused = checkRequest(req, route, options);
    if (refused) return refused;
    if (req.method === 'GET' && route.kind === 'token') return token(stages, options, exchange);
    if (req.method === 'GET' && route.kind === 'area') return document(stages, exchange);
    return asNode(stages, exchange, route.kind);
  };
}

/** Taken apart and matched; the same few targets come again and again. */
const askedBy = remembering((url) => {
  const target = canonicalTarget(url);
  return target && { target, route: routeOf(target) };
});

/** What needs no look-up: framing, method, headers. */
function checkRequest(
  req: IncomingMessage,
  route: Exclude<Route, { kind: 'nowhere' }>,
  options: HandlerOptions,
): Answer | undefined {
  const body = hasBody(req);
  if (body && req.method !== 'POST') return refuse('body-refused', true);
  if (!isPlain(req)) return refuse('body-refused', true);
  if (req.method !== 'GET' && req.method !== 'POST') {
    return refuse(route.kind === 'identity' ? 'path-unknown' : 'method-refused', body);
  }
  if (options.metadataHeaderRequired && req.headers.metadata !== 'true') {
    return refuse(route.kind === 'identity' ? 'path-unknown' : 'no-metadata-header', body);
  }
  if (options.rejectForwardedFor && req.headers['x-forwarded-for'] !== undefined)
    return refuse('forwarded-for', body);
  const blockable = route.kind === 'area' && (route.area === 'instance' || route.area === 'attested');
  if (options.blockInstanceMetadata && blockable) return refuse('area-blocked', body);
  return undefined;
}

/** What `localhost` comes from. The kernel lets neither in from outside: the agent sets no route_localnet. */
const loopback: ReadonlySet<string> = new Set(['127.0.0.1', '::1']);

/** `/host/token` exists for the node's own processes only, and only where it is wanted. */
function checkHost(req: IncomingMessage, options: HandlerOptions): Answer | undefined {
  const body = hasBody(req);
  const isLocal = loopback.has(callerAddress(req.socket.remoteAddress) ?? '');
  if (!options.hostToken || !isLocal) return refuse('path-unknown', body);
  if (body || !isPlain(req)) return refuse('body-refused', true);
  return req.method === 'GET' ? undefined : refuse('method-refused');
}
