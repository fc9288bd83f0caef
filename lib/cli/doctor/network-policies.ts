import { type NmiConfig, nmiFlags, podPortsUsed } from '../../config/nmi-flags.ts';
import { podKey } from '../../model/pod.ts';
import { quoted } from '../shell.ts';
import { orNone } from '../told.ts';
import { allows, type EgressPolicy, isolating, type Target } from './egress.ts';
import type { Facts, SeenPod } from './facts.ts';
import { type Finding, judge, listed, type Verdict } from './finding.ts';
import { needsIdentity } from './labels.ts';

type Addresses = Pick<NmiConfig, 'metadataIp' | 'metadataPort' | 'nmiPort'>;

const usual: Addresses = {
  metadataIp: nmiFlags.metadataIp.default,
  metadataPort: nmiFlags.metadataPort.default,
  nmiPort: nmiFlags.nmiPort.default,
};

/** Where the packet is judged by the CNI: nobody can tell from here, so both have to be allowed. */
interface Ways {
  /** Before the redirect, by 169.254.169.254:80. */
  readonly before: boolean;
  /** After it, by the agent's address and port. */
  readonly after: boolean;
}

/** Pods that the same policies keep from the same. */
interface Group {
  readonly ways: Ways;
  readonly policies: readonly EgressPolicy[];
  readonly pods: SeenPod[];
}

/** NetworkPolicies that keep pods with an identity from the agent of their node. */
export function checkNetworkPolicies(facts: Facts): Verdict {
  const { pods, policies, bindings } = facts;
  const settings = orNone(facts.agents).map((agent) => agent.settings);
  const addresses = settings.find((each) => typeof each === 'object') ?? usual;
  return judge({ pods, policies, bindings }, (read) => {
    const groups = new Map<string, Group>();
    for (const pod of read.pods) {
      if (pod.hostNetwork || pod.ended || !needsIdentity(pod, read.bindings, facts.mode)) continue;
      const own = isolating(read.policies, pod);
      const ways = waysOf(own, pod.hostIp, addresses);
      if (own.length === 0 || (ways.before && ways.after)) continue;
      const key = JSON.stringify([ways, own.map(podKey)]);
      const group = groups.get(key) ?? { ways, policies: own, pods: [] };
      groups.set(key, group);
      group.pods.push(pod);
    }
    return [...groups.values()].map((group) => findingOf(group, addresses));
  });
}

function waysOf(
  policies: readonly EgressPolicy[],
  hostIp: string,
  { metadataIp, metadataPort, nmiPort: port }: Addresses,
): Ways {
  const may = (target: Target): boolean => policies.some((policy) => allows(policy, target));
  return {
    before: may({ ip: metadataIp, port: metadataPort }),
    after: may({ ip: hostIp, port }) || may({ ip: '127.0.0.1', port }),
  };
}

function findingOf({ ways, policies, pods }: Group, addresses: Addresses): Finding {
  const { metadataIp, metadataPort, nmiPort } = addresses;
  const missing = [
    ...(ways.before ? [] : [`${metadataIp}, port ${metadataPort}`]),
    ...(ways.after ? [] : [`the node's address, port ${nmiPort}`]),
  ].join(' and ');
  const names = listed(policies.map(podKey));
  const isolate =
    policies.length > 1 ? `NetworkPolicies ${names} isolate` : `NetworkPolicy ${names} isolates`;
  const half = ways.before || ways.after;
  return {
    severity: half ? 'warning' : 'error',
    what: `${isolate} the egress of ${listed(pods.map(podKey))}, and nothing allows ${missing}`,
    why: half
      ? 'Some network plugins judge a packet before it is redirected to the agent, others after: on one of the two kinds these pods get no token'
      : 'Their requests for a token are dropped before an agent hears of them: SDKs time out',
    mend: policies.slice(0, 1).map((policy) => allowing(policy, addresses)),
  };
}

/** For the pods of a policy that is there, and for no others: a policy isolates whomever it selects. */
function allowing(
  { namespace, name, podSelector }: EgressPolicy,
  { metadataIp, metadataPort, nmiPort }: Addresses,
): string {
  const ports = Array.from({ length: podPortsUsed }, (_, i) => ({ protocol: 'TCP', port: nmiPort + i }));
  const policy = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: `${name}-pod-identity` },
    spec: {
      podSelector,
      policyTypes: ['Egress'],
      egress: [
        { to: [{ ipBlock: { cidr: `${metadataIp}/32` } }], ports: [{ protocol: 'TCP', port: metadataPort }] },
        { ports },
      ],
    },
  };
  return `echo '${JSON.stringify(policy)}' | kubectl apply -n ${quoted(namespace)} -f -`;
}
