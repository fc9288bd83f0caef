import type { Caller, Decision, TokenRequest } from '../model/decision.ts';
import { isAppError } from '../model/errors.ts';
import type { AzureIdentity } from '../model/identity.ts';
import type { Pod } from '../model/pod.ts';
import type { Token } from '../model/token.ts';
import { remembering } from '../platform/memo.ts';
import { asExcepted, unknownCaller } from './as-node.ts';
import { callerAddress } from './caller.ts';
import { askerOf } from './in-turn.ts';
import { patienceFor } from './patience.ts';
import { readTokenQuery } from './query.ts';
import { type Answer, busy, deny, notYet, passOn, refuse, tokenAnswer } from './reply.ts';
import type { Decide, Exchange, HandlerOptions, Stages, Trace } from './stages.ts';

/** Read once; the same few queries come again and again. */
const requestIn = remembering(readTokenQuery);

/** A pod asks for a token: what for, who is it, may it, and then pay. */
export async function token(stages: Stages, options: HandlerOptions, exchange: Exchange): Promise<Answer> {
  const { req, target, signal } = exchange;
  const request = requestIn(target.query);
  if (typeof request === 'string') return refuse(request);
  const address = callerAddress(req.socket.remoteAddress);
  const callerOf = (): Promise<Caller> => stages.callerOf(address, signal);
  const question = { exchange, request, callerOf, decide: stages.decide, lost: 'caller-unknown' } as const;
  const judged = await judge(stages, options, question);
  if ('code' in judged) return judged;
  const { pod, decision } = judged;
  if (decision.kind === 'pass') {
    exchange.trace.explanation = stages.explain(pod, decision);
    return stages.passThrough(asExcepted(exchange), signal);
  }
  if (decision.kind !== 'allow') return refusal(stages, options, { pod, decision, trace: exchange.trace });
  const paid = await pay(stages, exchange, { identity: decision.identity, request });
  if ('code' in paid) return paid;
  const { clientId } = decision.identity;
  return tokenAnswer(paid, { resource: request.resource, clientId, nowMs: options.clock.now() });
}

interface Question<D extends Decision> {
  readonly exchange: Exchange;
  readonly request: TokenRequest;
  readonly callerOf: () => Promise<Caller>;
  readonly decide: Decide<D>;
  /** What to say when there is no such pod, or another in its place. */
  readonly lost: 'caller-unknown' | 'pod-unknown';
}

/** Who asks, and what policy says, after waiting for what is on its way. */
export async function judge<D extends Decision>(
  stages: Stages,
  { patience }: HandlerOptions,
  { exchange, request, callerOf, decide, lost }: Question<D>,
): Promise<{ readonly pod: Pod; readonly decision: D } | Answer> {
  const { req, trace, signal } = exchange;
  trace.resource = request.resource;
  const look = async (pod: Pod): Promise<D> => {
    const first = decide(pod, request);
    const isSettled = first.kind === 'allow' || first.kind === 'pass';
    if (isSettled || request.selector?.by !== 'object_id') return first;
    // Learning may cost a token call for each of the pod's identities: only for an id that nothing known has.
    await stages.learnObjectIds(pod, request.resource, askerOf(exchange));
    return decide(pod, request);
  };
  const caller = await callerOf();
  if (caller.kind !== 'pod') return unknownCaller(caller, lost);
  const { pod } = caller;
  trace.pod = pod;
  const decision = await look(pod);
  if (decision.kind !== 'wait') return { pod, decision };
  const ms = patienceFor(req.headers, patience);
  await stages.hold(pod, (current) => decide(current, request), ms, signal);
  // While it waited, the pod may have gone, and its address or name may have become another's.
  const still = await callerOf();
  if (still.kind !== 'pod') return unknownCaller(still, lost);
  if (still.pod.uid !== pod.uid) return refuse(lost);
  return { pod: still.pod, decision: await look(still.pod) };
}

/** The answer to a pod that gets no token, in the words that the log and the event have, too. */
export function refusal(
  { explain }: Stages,
  { setRetryAfterHeader }: Pick<HandlerOptions, 'setRetryAfterHeader'>,
  { pod, decision, trace }: { pod: Pod; decision: Extract<Decision, { why: unknown }>; trace: Trace },
): Answer {
  trace.refusal = decision.why.code;
  trace.explanation = explain(pod, decision);
  return decision.kind === 'deny'
    ? deny(decision.why.code, trace.explanation)
    : notYet(decision.why.code, trace.explanation, setRetryAfterHeader);
}

/** The token, or the answer to its failure. */
export async function pay(
  stages: Stages,
  exchange: Exchange,
  { identity, request }: { identity: AzureIdentity; request: TokenRequest },
): Promise<Token | Answer> {
  const { trace } = exchange;
  trace.identity = identity;
  try {
    return await stages.token(identity, request.resource, askerOf(exchange));
  } catch (error) {
    if (!isAppError(error)) throw error;
    trace.error = error;
    if (error.answer) return passOn(error.answer);
    if (error.code === 'imds-busy') return busy(error.retryAfter);
    if (error.code === 'identity-type-unsupported') return refuse('type-unsupported');
    return refuse(error.code === 'imds-timeout' ? 'upstream-timeout' : 'upstream-failed');
  }
}
