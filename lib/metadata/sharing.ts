import type { Enter, Leave } from '../model/turn.ts';
import { unlessAborted } from '../platform/wait.ts';
import { inTurn, noTurn, spend } from './in-turn.ts';
import type { PassThrough, UpstreamRequest } from './pass-through.ts';
import type { Answer } from './reply.ts';

/** Requests for the same document that wait for a turn, each in a line of its own, until the first of them has one. */
interface Crowd {
  /** Once a turn has come. */
  answer: Promise<Answer> | undefined;
  /** Aborts then: nobody needs another turn. */
  readonly begun: AbortController;
  /** Aborts when the last of them has left. */
  readonly end: AbortController;
  members: number;
}

/**
 * The pass-through, each request after a turn; those for a document that another waits to ask for are one call with it. IMDS
 * answers documents five times a second for the whole node, and pods that start together ask for the same. Everybody waits in a
 * line of his own and as long as he would alone, so who asks for much delays nobody who asks for the same. Nobody joins a call
 * that has begun: an answer is never older than its question.
 */
export function sharing<P extends PassThrough>(passThrough: P, enter: Enter): P {
  const waiting = new Map<string, Crowd>();
  const alone = inTurn(passThrough, enter);

  const together: PassThrough = async (request, signal) => {
    const key = documentOf(request);
    if (key === undefined) return alone(request, signal);
    const crowd = waiting.get(key) ?? newCrowd();
    waiting.set(key, crowd);
    crowd.members++;
    try {
      const leave = await turnIn(crowd, enter, { request, signal });
      if (leave) {
        waiting.delete(key);
        crowd.answer = spend(leave, () => passThrough(plain(request), crowd.end.signal));
        crowd.begun.abort();
      }
      // Undefined only where the client has left.
      return await unlessAborted(crowd.answer ?? Promise.reject(signal.reason), signal);
    } catch (cause) {
      return noTurn(cause);
    } finally {
      crowd.members--;
      if (crowd.members === 0) {
        crowd.end.abort();
        if (waiting.get(key) === crowd) waiting.delete(key);
      }
    }
  };
  return Object.assign(together, passThrough);
}

function newCrowd(): Crowd {
  return { answer: undefined, begun: new AbortController(), end: new AbortController(), members: 0 };
}

/** This member's turn; undefined when another's came first. Rejects when none came in its time, and when its client left. */
async function turnIn(
  crowd: Crowd,
  enter: Enter,
  { request, signal }: { readonly request: UpstreamRequest; readonly signal: AbortSignal },
): Promise<Leave | undefined> {
  try {
    const leave = await enter(request.kind, request.asker, AbortSignal.any([signal, crowd.begun.signal]));
    if (!crowd.answer) return leave;
    leave('unused');
  } catch (error) {
    if (!crowd.answer) throw error;
  }
  return undefined;
}

/** What two requests for one document have in common; undefined for what is none, or is not the same for everybody. */
function documentOf({ method, path, query, headers, kind }: UpstreamRequest): string | undefined {
  if (method !== 'GET' || kind !== 'pass' || path.startsWith('/metadata/identity')) return undefined;
  return JSON.stringify([path, query, headers.metadata, headers.accept]);
}

/** With nothing of the one who asks for all but what they have in common. */
function plain({ headers: { metadata, accept }, ...request }: UpstreamRequest): UpstreamRequest {
  return { ...request, headers: { ...(metadata && { metadata }), ...(accept && { accept }) } };
}
