import { type CoreV1Event, V1MicroTime } from '@kubernetes/client-node';
import type { Pod } from '../model/pod.ts';
import { plain } from '../model/text.ts';

/** What `kubectl describe` is to show. */
export interface KubeEvent {
  readonly type: 'Normal' | 'Warning';
  /** One of the program's own few: never a word that a client chose. */
  readonly reason: string;
  /** Sentences. Cut to 1,024 bytes, control characters replaced. */
  readonly message: string;
}

/** Which pod an event is about. */
export type PodRef = Pick<Pod, 'uid' | 'namespace' | 'name'>;

/** Which object an event is about: a pod, unless kind and apiVersion say otherwise. */
export interface EventRef extends PodRef {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly resourceVersion?: string;
}

/** An AzureIdentity or one of its kin. */
export function azureRef(
  kind: 'AzureIdentity' | 'AzureIdentityBinding' | 'AzureAssignedIdentity',
  { uid, namespace, name, resourceVersion }: PodRef & { readonly resourceVersion: string },
): EventRef {
  return { apiVersion: 'aadpodidentity.k8s.io/v1', kind, namespace, name, uid, resourceVersion };
}

/** A node's events name it by its name: `kubectl describe node` asks for that in place of the UID, as the kubelet does. */
export function nodeRef(name: string): EventRef {
  return { apiVersion: 'v1', kind: 'Node', namespace: '', name, uid: name };
}

/** As the original's events, for those who filter by it. */
const component = 'aadpodidentity.k8s.io';
/** The API's limit for the message of an event. */
const maxMessageBytes = 1_024;

/** Of what has no namespace, events are kept here. */
const clusterWide = 'default';

export function namespaceOf(about: EventRef): string {
  return about.namespace || clusterWide;
}

/**
 * The core/v1 Event, for POST. `kubectl describe` looks for `involvedObject` by kind, namespace, name and uid. Without an
 * `eventTime` the API server asks for no action and no valid controller name, and shows the two timestamps. `node`: who tells; of
 * a controller, its pod.
 */
export function eventBody(
  about: EventRef,
  { type, reason, message }: KubeEvent,
  { node, now }: { readonly node: string; readonly now: number },
): CoreV1Event {
  const { apiVersion = 'v1', kind = 'Pod', namespace, name, uid, resourceVersion } = about;
  const time = new V1MicroTime(now);
  return {
    apiVersion: 'v1',
    kind: 'Event',
    // The API server cuts this to 58 characters and adds five of its own: a pod's name may be as long as an event's.
    metadata: { namespace: namespaceOf(about), generateName: `${name}.` },
    involvedObject: { apiVersion, kind, namespace, name, uid, ...(resourceVersion && { resourceVersion }) },
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
