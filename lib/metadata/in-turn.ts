import type { IncomingHttpHeaders } from 'node:http';
import { isAppError } from '../model/errors.ts';
import { podKey } from '../model/pod.ts';
import type { Asker, Enter, Leave, Outcome } from '../model/turn.ts';
import type { Clock } from '../platform/clock.ts';
import { callerAddress } from './caller.ts';
import type { PassThrough } from './pass-through.ts';
import { type Patience, patienceFor } from './patience.ts';
import { type Answer, busy, refuse } from './reply.ts';
import type { Exchange } from './stages.ts';

/**
 * How long a request may have been here when its turn towards IMDS comes, a hold included: IMDS's answer should come before the
 * 10 s at which clients were seen to give up, and what comes then is a 429, which SDKs retry. Clients that retry
 * nothing wait longer, since for them the wait is all there is.
 */
const turnPatience: Patience = { usualMs: 8_000, longMs: 60_000 };

/** Until when a request that comes now may wait for its turn, ms of the monotonic clock. */
export function turnBy(headers: IncomingHttpHeaders, clock: Clock): number {
  return clock.monotonic() + patienceFor(headers, turnPatience);
}

/** For whom IMDS is asked: the pod, or its address where nothing asked who it is. */
export function askerOf({ req, trace, until }: Exchange): Asker {
  const address = callerAddress(req.socket.remoteAddress) ?? 'unknown';
  return { who: trace.pod ? podKey(trace.pod) : address, until };
}

/** The same pass-through, each of its requests after a turn. */
export function inTurn<P extends PassThrough>(passThrough: P, enter: Enter): P {
  const inIts: PassThrough = async (request, signal) => {
    let leave: Leave;
    try {
      leave = await enter(request.kind, request.asker, signal);
    } catch (cause) {
      return noTurn(cause);
    }
    return spend(leave, () => passThrough(request, signal));
  };
  return Object.assign(inIts, passThrough);
}

/** Makes the call that the turn is for, and gives the turn back, whatever happens. */
export async function spend(leave: Leave, call: () => Promise<Answer>): Promise<Answer> {
  let outcome: Outcome = 'unanswered';
  try {
    const answer = await call();
    outcome = outcomeOf(answer);
    return answer;
  } finally {
    leave(outcome);
  }
}

/** The answer where no turn came: none in time, or the client has left. */
export function noTurn(cause: unknown): Answer {
  return isAppError(cause, 'imds-busy') ? busy(cause.retryAfter) : { ...refuse('upstream-failed'), cause };
}

function outcomeOf({ code, status, headers }: Answer): Outcome {
  if (code !== 'upstream') return 'unanswered';
  const retryAfter = headers['retry-after'];
  return { status, retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined };
}
