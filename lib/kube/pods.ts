import type { Pod, PodActivity } from '../model/pod.ts';
import { canonicalAddress } from '../platform/address.ts';
import { parseTime } from '../platform/clock.ts';
import { flag, parsing, record, records, text, texts } from './fields.ts';
import type { Resource } from './resource.ts';

type Raw = Readonly<Record<string, unknown>>;

/** A step of the node's clock after its boot is not a reboot, ms. */
const clockStepMs = 10 * 60 * 1000;

/**
 * The pods that are bound to `node`, of all namespaces. `bootedAt`, ms since the epoch, is when the node came up, where that
 * is known: until the kubelet has got round to a pod after a reboot, its status tells of a sandbox that is no more.
 */
export function podsOfNode(node: string, bootedAt?: number): Resource<Pod> {
  return {
    name: 'pods',
    path: '/api/v1/pods',
    query: { fieldSelector: `spec.nodeName=${node}` },
    parse: (raw) => parsePod(raw, bootedAt === undefined ? 0 : bootedAt - clockStepMs),
  };
}

function parsePod(raw: unknown, since: number): Pod | undefined {
  return parsing(raw, (object) => {
    const metadata = record(object, 'metadata');
    const spec = record(object, 'spec');
    const status = record(object, 'status');
    const phase = text(status, 'phase');
    const deleting = text(metadata, 'deletionTimestamp') !== '';
    const pod: Pod = {
      uid: text(metadata, 'uid'),
      namespace: text(metadata, 'namespace'),
      name: text(metadata, 'name'),
      node: text(spec, 'nodeName'),
      ips: addresses(status),
      labels: texts(metadata, 'labels'),
      hostNetwork: flag(spec, 'hostNetwork'),
      phase,
      activity: activityOf(status, { final: deleting || phase === 'Succeeded' || phase === 'Failed', since }),
    };
    return pod.uid === '' || pod.namespace === '' || pod.name === '' ? undefined : pod;
  });
}

/**
 * - A status whose every sign of life is from before the node's boot tells of a sandbox that is gone.
 * - A container that runs keeps the sandbox, whatever phase says: an evicted pod is Failed while its processes still end.
 * - Otherwise a pod that is being deleted, or whose phase is final, starts nothing any more. Its sandbox may be gone.
 * - A pod none of whose containers ever ran is starting: the kubelet reports a container a second or so after its start.
 * - All others are between two runs (CrashLoopBackOff, init containers done, a restart under way). The kubelet keeps sandbox
 *   and IP, and the container that starts next asks for its token before any status tells that it runs; were this 'ended',
 *   a program that needs a token to start would never leave its crash loop.
 */
function activityOf(
  status: Raw,
  { final, since }: { readonly final: boolean; readonly since: number },
): PodActivity {
  const containers = [
    ...records(status, 'initContainerStatuses'),
    ...records(status, 'containerStatuses'),
    ...records(status, 'ephemeralContainerStatuses'),
  ];
  const signs = containers.flatMap(signsOfLife);
  if (signs.length > 0 && signs.every((time) => time < since)) return 'ended';
  if (containers.some((container) => has(container, 'state', 'running'))) return 'running';
  if (final) return 'ended';
  return containers.some(hasRun) ? 'running' : 'starting';
}

function hasRun(container: Raw): boolean {
  return has(container, 'state', 'terminated') || has(container, 'lastState', 'terminated');
}

function has(container: Raw, field: 'state' | 'lastState', state: string): boolean {
  return (record(container, field)[state] ?? null) !== null;
}

/** When the container was last known to run, ms since the epoch; nothing for one that tells no time. */
function signsOfLife(container: Raw): number[] {
  const state = record(container, 'state');
  const times = [
    text(record(state, 'running'), 'startedAt'),
    text(record(state, 'terminated'), 'finishedAt'),
    text(record(record(container, 'lastState'), 'terminated'), 'finishedAt'),
  ];
  return times.map(parseTime).filter((time) => !Number.isNaN(time));
}

/** Old API servers report `podIP` alone. */
function addresses(status: Raw): readonly string[] {
  const all = records(status, 'podIPs').map((entry) => text(entry, 'ip'));
  const found = (all.length > 0 ? all : [text(status, 'podIP')]).flatMap((ip) => canonicalAddress(ip) ?? []);
  return [...new Set(found)];
}
