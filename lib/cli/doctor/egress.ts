import { BlockList, isIPv4 } from 'node:net';
import { labelSelector, parsing, type Raw, record, records, strings, text } from '../../kube/fields.ts';
import type { Resource } from '../../kube/resource.ts';
import { type LabelSelector, selects } from '../../model/label-selector.ts';

/** A place that a pod sends to over TCP. */
export interface Target {
  readonly ip: string;
  readonly port: number;
}

interface EgressRule {
  /** Address blocks; undefined: anywhere. What it says of pods and namespaces covers no node's address. */
  readonly blocks: readonly { readonly cidr: string; readonly except: readonly string[] }[] | undefined;
  /** Ranges of TCP ports; undefined: all. */
  readonly ports: readonly (readonly [first: number, last: number])[] | undefined;
}

/** A NetworkPolicy that isolates the egress of the pods that it selects. Source: networking.k8s.io/v1. */
export interface EgressPolicy {
  readonly namespace: string;
  readonly name: string;
  readonly podSelector: LabelSelector;
  readonly rules: readonly EgressRule[];
}

/** Those of all namespaces; policies about ingress alone are left out. */
export const egressPolicies: Resource<EgressPolicy | 'ingress'> = {
  name: 'networkpolicies',
  path: '/apis/networking.k8s.io/v1/networkpolicies',
  parse: (raw) => parsing(raw, parsePolicy),
};

/** Whether the policy's rules let its pods send there. */
export function allows({ rules }: EgressPolicy, target: Target): boolean {
  return rules.some(({ blocks, ports }) => {
    const there = blocks === undefined || blocks.some((block) => within(block, target.ip));
    return there && (ports?.some(([first, last]) => first <= target.port && target.port <= last) ?? true);
  });
}

/** The policies that isolate the pod's egress: what none of them allows does not go through. */
export function isolating(
  policies: readonly EgressPolicy[],
  pod: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
): readonly EgressPolicy[] {
  return policies.filter(
    ({ namespace, podSelector }) => namespace === pod.namespace && selects(podSelector, pod.labels),
  );
}

function parsePolicy(raw: Raw): EgressPolicy | 'ingress' {
  const spec = record(raw, 'spec');
  const types = strings(spec, 'policyTypes');
  const egress = records(spec, 'egress');
  // Without types: egress, where it says something of it.
  if (types.length > 0 ? !types.includes('Egress') : egress.length === 0) return 'ingress';
  const metadata = record(raw, 'metadata');
  return {
    namespace: text(metadata, 'namespace'),
    name: text(metadata, 'name'),
    podSelector: labelSelector(record(spec, 'podSelector')),
    rules: egress.map(ruleOf),
  };
}

function ruleOf(raw: Raw): EgressRule {
  const peers = records(raw, 'to');
  const ports = records(raw, 'ports').filter((port) => (text(port, 'protocol') || 'TCP') === 'TCP');
  const blocks = peers.filter((peer) => peer.ipBlock).map((peer) => record(peer, 'ipBlock'));
  return {
    blocks:
      peers.length === 0
        ? undefined
        : blocks.map((block) => ({ cidr: text(block, 'cidr'), except: strings(block, 'except') })),
    ports: records(raw, 'ports').length === 0 ? undefined : ports.map(portsOf),
  };
}

/** A port that has a name is one of pods: it is no port of a node. */
function portsOf({ port, endPort }: Raw): readonly [number, number] {
  if (port === undefined || port === null) return [1, 65_535];
  const first = Number.isInteger(port) ? Number(port) : -1;
  return [first, Number.isInteger(endPort) ? Number(endPort) : first];
}

function within(
  { cidr, except }: { readonly cidr: string; readonly except: readonly string[] },
  ip: string,
): boolean {
  return holds(cidr, ip) && !except.some((hole) => holds(hole, ip));
}

function holds(cidr: string, ip: string): boolean {
  const [network = '', prefix = '32'] = cidr.split('/');
  if (!isIPv4(network) || !isIPv4(ip) || !/^\d{1,2}$/.test(prefix) || Number(prefix) > 32) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(prefix));
  return list.check(ip);
}
