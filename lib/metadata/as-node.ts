import type { Caller } from '../model/decision.ts';
import { readBody } from './body.ts';
import { callerAddress } from './caller.ts';
import { hasBody } from './framing.ts';
import { askerOf } from './in-turn.ts';
import type { UpstreamRequest } from './pass-through.ts';
import { type Answer, type RefusalCode, refuse } from './reply.ts';
import type { Route } from './routes.ts';
import type { Exchange, Stages } from './stages.ts';

/** What only an excepted pod may ask for: it passes as the node. To others the path does not exist, or not by POST. */
export async function asNode(stages: Stages, exchange: Exchange, kind: Route['kind']): Promise<Answer> {
  const { req, trace, signal } = exchange;
  const closing = hasBody(req);
  const caller = await stages.callerOf(callerAddress(req.socket.remoteAddress), signal);
  if (caller.kind !== 'pod') return { ...unknownCaller(caller), close: closing };
  trace.pod = caller.pod;
  const exception = stages.exceptionOf(caller.pod);
  if (exception === undefined) {
    if (kind === 'identity') return refuse('path-unknown', closing);
    return closing ? refuse('body-refused', true) : refuse('method-refused');
  }
  trace.explanation = stages.explain(caller.pod, { kind: 'pass', exception });
  const body = req.method === 'POST' ? await readBody(req) : Buffer.alloc(0);
  if (body === 'too-large') return refuse('body-too-large', true);
  return stages.passThrough({ ...upstream(exchange), body }, signal);
}

/**
 * A metadata document, for pods of this node alone: `attested` proves to be this machine, and others may reach the listener by a
 * translation of their own.
 */
export async function document(stages: Stages, exchange: Exchange): Promise<Answer> {
  const { req, trace, signal } = exchange;
  const caller = await stages.callerOf(callerAddress(req.socket.remoteAddress), signal);
  if (caller.kind !== 'pod') return unknownCaller(caller);
  trace.pod = caller.pod;
  return stages.passThrough(upstream(exchange), signal);
}

/** What goes to IMDS of a request without a body. */
export function upstream(exchange: Exchange): UpstreamRequest {
  const { req, target, path, trace } = exchange;
  const method = req.method === 'POST' ? 'POST' : 'GET';
  // IMDS counts all under /metadata/identity against the limits of managed identities.
  const kind = trace.route === 'area' ? 'pass' : 'token';
  const asker = askerOf(exchange);
  return { method, path, query: target.query, headers: req.headers, body: Buffer.alloc(0), kind, asker };
}

/** The original asked IMDS itself for excepted pods, so that their requests needed no api-version. */
export function asExcepted(exchange: Exchange): UpstreamRequest {
  const request = upstream(exchange);
  const hasVersion = /(^|&)api-version=/.test(request.query);
  return hasVersion ? request : { ...request, query: `${request.query}&api-version=2018-02-01` };
}

/** `lost`: what to say when there is no such pod. */
export function unknownCaller({ kind }: Caller, lost: RefusalCode = 'caller-unknown'): Answer {
  if (kind === 'not-synced') return refuse('not-synced');
  return refuse(kind === 'unsettled' ? 'caller-unsettled' : lost);
}
