import type { Caller } from '../model/decision.ts';
import { readTokenQuery } from './query.ts';
import { type Answer, hostTokenAnswer, refuse } from './reply.ts';
import type { Exchange, HandlerOptions, Stages } from './stages.ts';
import { judge, pay, refusal } from './token-handler.ts';

/**
 * The original's endpoint for the node's own drivers (Key Vault CSI, FlexVolume), which fetch a pod's secrets before it
 * runs: `GET /host/token?resource=…` with the headers `podns` and `podname`, from 127.0.0.1, without `Metadata: true`.
 * Exceptions do not count here: the driver asks for the pod's identity, not for the node's.
 */
export async function hostToken(
  stages: Stages,
  options: HandlerOptions,
  exchange: Exchange,
): Promise<Answer> {
  const { req, target, trace, signal } = exchange;
  const { podns, podname } = req.headers;
  if (typeof podns !== 'string' || typeof podname !== 'string' || !podns || !podname) {
    return refuse('host-headers-missing');
  }
  const request = readTokenQuery(target.query);
  if (typeof request === 'string') return refuse(request);
  const callerOf = (): Promise<Caller> => stages.podNamed(podns, podname, signal);
  const question = {
    exchange,
    request,
    callerOf,
    decide: stages.decideForHost,
    lost: 'pod-unknown',
  } as const;
  const judged = await judge(stages, options, question);
  if ('code' in judged) return judged;
  const { pod, decision } = judged;
  if (decision.kind !== 'allow') {
    // Always 404 and never Retry-After in the original, which is what the drivers know.
    const answer = refusal(stages, { setRetryAfterHeader: false }, { pod, decision, trace });
    return { ...answer, status: 404 };
  }
  const paid = await pay(stages, exchange, { identity: decision.identity, request });
  if ('code' in paid) return paid;
  const { clientId } = decision.identity;
  return hostTokenAnswer(paid, { resource: request.resource, clientId, nowMs: options.clock.now() });
}
