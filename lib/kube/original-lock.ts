import type { Clock } from '../platform/clock.ts';
import type { Connection } from './connection.ts';
import { parsing, record, text, texts } from './fields.ts';
import { answerIn } from './get.ts';
import { Observed } from './observed.ts';

/** Whether a MIC of the original is at work; if so, or if that cannot be told, why we must not be. */
export type OriginalStanding = { readonly kind: 'free' } | { readonly kind: 'held'; readonly by: string };

/** Where the original's MICs contend: an annotation of an Endpoints object. */
export interface OriginalLock {
  /** Throws as `Connection.json` where the API server does not answer. */
  look(signal: AbortSignal): Promise<OriginalStanding>;
}

const annotation = 'control-plane.alpha.kubernetes.io/leader';
const free: OriginalStanding = { kind: 'free' };
const maxBytes = 2 * 1024 * 1024;
/** s. Its default, and bounds for what anybody could have written there. */
const duration = { usual: 15, least: 1, most: 600 };

/**
 * A MIC of the original writes into the annotation every few seconds. One that stands still for the lease it claims is dead; the
 * annotation stays for ever. So a start on a cluster that the original once ran on takes that long, once.
 */
export function originalLockIn(
  connection: Connection,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): OriginalLock {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/endpoints/${encodeURIComponent(name)}`;
  const observed = new Observed();
  return {
    async look(signal) {
      try {
        const raw = await connection.json(path, { maxBytes, signal });
        return standingOf(annotationIn(raw), observed, connection.clock);
      } catch (error) {
        if (answerIn(error).kind === 'absent') return free;
        throw error;
      }
    },
  };
}

function annotationIn(raw: unknown): string {
  const annotations = parsing(raw, (object) => texts(record(object, 'metadata'), 'annotations'));
  return annotations?.[annotation] ?? '';
}

function standingOf(value: string, observed: Observed, clock: Clock): OriginalStanding {
  const still = observed.stillFor(value, clock.monotonic());
  const { holder, seconds } = recordIn(value);
  return holder === '' || still >= seconds * 1000 ? free : { kind: 'held', by: holder };
}

/** `{"holderIdentity":"mic-…","leaseDurationSeconds":15,…}`; what is not that is nobody's. */
function recordIn(value: string): { readonly holder: string; readonly seconds: number } {
  const parsed = parsing(json(value), (raw) => {
    const given = Number(raw.leaseDurationSeconds) || duration.usual;
    const seconds = Math.min(Math.max(given, duration.least), duration.most);
    return { holder: text(raw, 'holderIdentity'), seconds };
  });
  return parsed ?? { holder: '', seconds: duration.usual };
}

function json(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
