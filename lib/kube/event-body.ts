import { type CoreV1Event, V1MicroTime } from '@kubernetes/client-node';
import type { Pod } from '../model/pod.ts';
import { plain } from '../model/text.ts';

/** What `kubectl describe pod` is to show. */
export interface PodEvent {
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, one of the program's own few: never a word that a client chose. */
  readonly reason: string;
  /** Sentences. Cut to 1,024 bytes, control characters replaced. */
  readonly message: string;
}

/** Which pod an event is about. */
export type PodRef = Pick<Pod, 'uid' | 'namespace' | 'name'>;

/** As the original's events, for those who filter by it. */
const component = 'aadpodidentity.k8s.io';
/** The API's limit for the message of an event. */
const maxMessageBytes = 1_024;

/**
 * The core/v1 Event, for POST. `kubectl describe pod` looks for `involvedObject` by namespace, name and uid. Without an
 * `eventTime` the API server asks for no action and no valid controller name, and shows the two timestamps.
 */
export function eventBody(
  { uid, namespace, name }: PodRef,
  { type, reason, message }: PodEvent,
  { node, now }: { readonly node: string; readonly now: number },
): CoreV1Event {
  const time = new V1MicroTime(now);
  return {
    apiVersion: 'v1',
    kind: 'Event',
    // The API server cuts this to 58 characters and adds five of its own: a pod's name may be as long as an event's.
    metadata: { namespace, generateName: `${name}.` },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
    type,
    reason,
    message: fit(message),
    count: 1,
    firstTimestamp: time,
    lastTimestamp: time,
    source: { component, host: node },
    reportingComponent: component,
    reportingInstance: node,
  };
}

/** A whole text, whose limit is in bytes. */
function fit(message: string): string {
  const text = plain(message);
  if (Buffer.byteLength(text) <= maxMessageBytes) return text;
  // encodeInto takes whole characters only.
  const room = new Uint8Array(maxMessageBytes - Buffer.byteLength('…'));
  const { read } = new TextEncoder().encodeInto(text, room);
  return `${text.slice(0, read)}…`;
}
