import { isIP, SocketAddress } from 'node:net';
import type { Pod, PodActivity } from '../model/pod.ts';
import { flag, parsing, record, records, text, texts } from './fields.ts';
import type { Resource } from './resource.ts';

type Raw = Readonly<Record<string, unknown>>;

/** The pods that are bound to `node`, of all namespaces. */
export function podsOfNode(node: string): Resource<Pod> {
  return {
    name: 'pods',
    path: '/api/v1/pods',
    query: { fieldSelector: `spec.nodeName=${node}` },
    parse: parsePod,
  };
}

function parsePod(raw: unknown): Pod | undefined {
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
      deleting,
      activity: activityOf(status, deleting || phase === 'Succeeded' || phase === 'Failed'),
    };
    return pod.uid === '' || pod.namespace === '' || pod.name === '' ? undefined : pod;
  });
}

/**
 * - A container that runs keeps the sandbox, whatever phase says: an evicted pod is Failed while its processes still end.
 * - Otherwise a pod that is being deleted, or whose phase is final, starts nothing any more. Its sandbox may be gone.
 * - A pod none of whose containers ever ran is starting: the kubelet reports a container a second or so after its start.
 * - All others are between two runs (CrashLoopBackOff, init containers done, a restart under way). The kubelet keeps sandbox
 *   and IP, and the container that starts next asks for its token before any status tells that it runs; were this 'ended',
 *   a program that needs a token to start would never leave its crash loop.
 */
function activityOf(status: Raw, final: boolean): PodActivity {
  const containers = [
    ...records(status, 'initContainerStatuses'),
    ...records(status, 'containerStatuses'),
    ...records(status, 'ephemeralContainerStatuses'),
  ];
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

/** Old API servers report `podIP` alone. */
function addresses(status: Raw): readonly string[] {
  const all = records(status, 'podIPs').map((entry) => text(entry, 'ip'));
  const found = (all.length > 0 ? all : [text(status, 'podIP')]).flatMap(canonical);
  return [...new Set(found)];
}

/** As sockets name their peers: shortest IPv6 form in lower case, IPv4 without a `::ffff:` in front. */
function canonical(ip: string): string[] {
  if (isIP(ip) !== 6) return isIP(ip) === 4 ? [ip] : [];
  const { address } = new SocketAddress({ address: ip, family: 'ipv6' });
  return [address.replace(/^::ffff:(?=\d+\.)/, '')];
}
