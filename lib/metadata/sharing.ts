import type { Enter } from '../model/turn.ts';
import { unlessAborted } from '../platform/wait.ts';
import { inTurn } from './in-turn.ts';
import type { PassThrough, UpstreamRequest } from './pass-through.ts';
import { type Answer, refuse } from './reply.ts';

/** Requests for the same document, of which one is made. */
interface Crowd {
  readonly answer: Promise<Answer>;
  readonly end: AbortController;
  members: number;
}

/**
 * The pass-through, each request after a turn; those for a document that another waits to ask for are one call with it. IMDS
 * answers documents five times a second for the whole node, and pods that start together ask for the same. Nobody joins a call
 * that has begun, so an answer is never older than its question.
 */
export function sharing<P extends PassThrough>(passThrough: P, enter: Enter): P {
  const waiting = new Map<string, Crowd>();
  const alone = inTurn(passThrough, enter);

  const gather = (key: string, request: UpstreamRequest): Crowd => {
    const begun: PassThrough = (one, signal) => {
      waiting.delete(key);
      return passThrough(one, signal);
    };
    const end = new AbortController();
    const answer = inTurn(begun, enter)(request, end.signal).finally(() => {
      if (waiting.get(key) === crowd) waiting.delete(key);
    });
    const crowd: Crowd = { answer, end, members: 0 };
    waiting.set(key, crowd);
    return crowd;
  };

  const together: PassThrough = async (request, signal) => {
    const key = documentOf(request);
    if (key === undefined) return alone(request, signal);
    for (;;) {
      const joined = waiting.get(key);
      const answer = await share(joined ?? gather(key, request), signal);
      // Whose turn did not come in time was the first one's; a later one has its own time.
      if (!joined || answer.code !== 'upstream-busy') return answer;
    }
  };
  return Object.assign(together, passThrough);
}

/** The crowd's answer; the call ends when the last of them has left. */
async function share(crowd: Crowd, signal: AbortSignal): Promise<Answer> {
  crowd.members++;
  try {
    return await unlessAborted(crowd.answer, signal);
  } catch (cause) {
    return { ...refuse('upstream-failed'), cause };
  } finally {
    crowd.members--;
    if (crowd.members === 0) crowd.end.abort();
  }
}

/** What two requests for one document have in common; undefined for what is none, or is not the same for everybody. */
function documentOf({ method, path, query, headers, kind }: UpstreamRequest): string | undefined {
  if (method !== 'GET' || kind !== 'pass' || path.startsWith('/metadata/identity')) return undefined;
  return JSON.stringify([path, query, headers.metadata, headers.accept]);
}
