import type { IncomingMessage } from 'node:http';
import type { Caller, Decision, TokenRequest } from '../model/decision.ts';
import { type AppError, isAppError } from '../model/errors.ts';
import type { AzureIdentity } from '../model/identity.ts';
import type { Pod } from '../model/pod.ts';
import type { Token } from '../model/token.ts';
import type { Clock } from '../platform/clock.ts';
import { readBody } from './body.ts';
import { callerAddress } from './caller.ts';
import { canonicalTarget, type Target } from './canonical.ts';
import type { PassThrough } from './pass-through.ts';
import { readTokenQuery } from './query.ts';
import { type Answer, deny, passOn, refuse, tokenAnswer } from './reply.ts';
import { type Route, routeOf } from './routes.ts';

/** The stages behind the listener, handed in by lib/nmi.ts. */
export interface Stages {
  /** Who has this address? Waits, for a bounded time, until the caches are synced. */
  readonly callerOf: (address: string | undefined, signal: AbortSignal) => Promise<Caller>;
  readonly decide: (pod: Pod, request: TokenRequest) => Decision;
  /** The exception that covers this pod, if any. */
  readonly exceptionOf: (pod: Pod) => string | undefined;
  readonly explain: (pod: Pod, decision: Decision) => string;
  readonly token: (identity: AzureIdentity, resource: string) => Promise<Token>;
  readonly passThrough: PassThrough;
}

export interface HandlerOptions {
  readonly clock: Clock;
  readonly metadataHeaderRequired: boolean;
  readonly rejectForwardedFor: boolean;
  readonly blockInstanceMetadata: boolean;
}

/** What the log line and the metrics tell of a request beside its answer; filled while it is handled. */
export interface Trace {
  route: Route['kind'] | 'refused';
  pod?: Pod;
  identity?: AzureIdentity;
  resource?: string;
  explanation?: string;
  error?: AppError;
}

export type Handler = (req: IncomingMessage, trace: Trace, signal: AbortSignal) => Promise<Answer>;

/**
 * The whole path of a request. The order is part of the contract: the path before the header, since an SDK takes a 400
 * under `/metadata/identity` for "there is an IMDSv2 here"; the header before any look-up, since SDKs probe without it
 * and wait one second at most.
 */
export function createHandler(stages: Stages, options: HandlerOptions): Handler {
  return async (req, trace, signal) => {
    const target = canonicalTarget(req.url ?? '');
    if (!target) return refuse('path-refused', true);
    const route = routeOf(target);
    trace.route = route.kind;
    if (route.kind === 'nowhere') return refuse('path-unknown', hasBody(req));
    const refused = checkRequest(req, route, options);
    if (refused) return refused;
    const context = { req, target, trace, signal };
    if (route.kind === 'token') return token(stages, options, { ...context, route });
    if (route.kind === 'area' && req.method === 'GET')
      return stages.passThrough(upstream(context, route.path), signal);
    return asNode(stages, { ...context, route });
  };
}

interface Context<R extends Route = Route> {
  readonly req: IncomingMessage;
  readonly target: Target;
  readonly trace: Trace;
  readonly signal: AbortSignal;
  readonly route: R;
}
type Known = Extract<Route, { path: string }>;

/** What needs no look-up: framing, method, headers. */
function checkRequest(req: IncomingMessage, route: Known, options: HandlerOptions): Answer | undefined {
  const body = hasBody(req);
  if (body && req.method !== 'POST') return refuse('body-refused', true);
  if (req.headers.upgrade !== undefined || req.headers.expect !== undefined)
    return refuse('body-refused', true);
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

async function token(stages: Stages, { clock }: HandlerOptions, context: Context<Known>): Promise<Answer> {
  if (context.req.method === 'POST') return asNode(stages, context);
  const { req, target, trace, signal } = context;
  const request = readTokenQuery(target.query);
  if (typeof request === 'string') return refuse(request);
  trace.resource = request.resource;
  const caller = await stages.callerOf(callerAddress(req.socket.remoteAddress), signal);
  if (caller.kind !== 'pod') return unknownCaller(caller);
  trace.pod = caller.pod;
  const decision = stages.decide(caller.pod, request);
  if (decision.kind === 'pass') return stages.passThrough(upstream(context, context.route.path), signal);
  if (decision.kind === 'deny') {
    trace.explanation = stages.explain(caller.pod, decision);
    return deny(decision.why.code, trace.explanation);
  }
  trace.identity = decision.identity;
  try {
    const paid = await stages.token(decision.identity, request.resource);
    const asked = { resource: request.resource, clientId: decision.identity.clientId, nowMs: clock.now() };
    return tokenAnswer(paid, asked);
  } catch (error) {
    return tokenFailure(error, trace);
  }
}

/** What only an excepted pod may ask for: it passes as the node. To others the path does not exist, or not by POST. */
async function asNode(stages: Stages, context: Context<Known>): Promise<Answer> {
  const { req, route, trace, signal } = context;
  const closing = hasBody(req);
  const caller = await stages.callerOf(callerAddress(req.socket.remoteAddress), signal);
  if (caller.kind !== 'pod') return { ...unknownCaller(caller), close: closing };
  trace.pod = caller.pod;
  if (stages.exceptionOf(caller.pod) === undefined) {
    if (route.kind === 'identity') return refuse('path-unknown', closing);
    return closing ? refuse('body-refused', true) : refuse('method-refused');
  }
  const body = req.method === 'POST' ? await readBody(req) : Buffer.alloc(0);
  if (body === 'too-large') return refuse('body-too-large', true);
  return stages.passThrough({ ...upstream(context, route.path), body }, signal);
}

function upstream({ req, target }: Omit<Context, 'route'>, path: string): Parameters<PassThrough>[0] {
  const method = req.method === 'POST' ? 'POST' : 'GET';
  return { method, path, query: target.query, headers: req.headers, body: Buffer.alloc(0) };
}

function unknownCaller({ kind }: Caller): Answer {
  if (kind === 'not-synced') return refuse('not-synced');
  return refuse(kind === 'unsettled' ? 'caller-unsettled' : 'caller-unknown');
}

function tokenFailure(error: unknown, trace: Trace): Answer {
  if (!isAppError(error)) throw error;
  trace.error = error;
  if (error.answer) return passOn(error.answer);
  if (error.code === 'identity-type-unsupported') return refuse('type-unsupported');
  return refuse(error.code === 'imds-timeout' ? 'upstream-timeout' : 'upstream-failed');
}

/** Node gives no body event for `content-length: 0`, which SDKs and proxies add to a GET. */
function hasBody({ headers }: IncomingMessage): boolean {
  if (headers['transfer-encoding'] !== undefined) return true;
  return headers['content-length'] !== undefined && headers['content-length'] !== '0';
}
