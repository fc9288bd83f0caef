import { type NmiConfig, nmiFlags, podPortsUsed } from '../../config/nmi-flags.ts';
import { podKey } from '../../model/pod.ts';
import { orNone, type Told } from '../told.ts';
import { allows, type EgressPolicy, isolating } from './egress.ts';
import type { Facts, SeenPod } from './facts.ts';
import { type Finding, judge, listed, type Verdict } from './finding.ts';
import { wantingIdentity } from './labels.ts';
import { allowing, type Door } from './policy-offer.ts';

/** Where a packet is judged by the CNI: nobody can tell from here, so all of it has to be allowed. */
interface Ways {
  /** Before the redirect, by 169.254.169.254:80. */
  readonly before: boolean;
  /** After it, by the agent's address: at the port that agents begin with, and at all that they may come to. */
  readonly first: boolean;
  readonly all: boolean;
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
  return judge({ pods, policies, bindings, door: doorOf(facts) }, ({ door, ...read }) => {
    const index = wantingIdentity(read.bindings);
    const groups = new Map<string, Group>();
    for (const pod of read.pods) {
      if (pod.hostNetwork || pod.ended || pod.hostIp === '' || !index.wants(pod)) continue;
      const own = isolating(read.policies, pod);
      const ways = waysOf(own, pod.hostIp, door);
      if (own.length === 0 || (ways.before && ways.all)) continue;
      const key = JSON.stringify([ways, own.map(podKey)]);
      const group = groups.get(key) ?? { ways, policies: own, pods: [] };
      groups.set(key, group);
      group.pods.push(pod);
    }
    const nodes = read.pods.map(({ hostIp }) => hostIp);
    return [...groups.values()].map((group) => findingOf(group, door, { nodes, all: read.policies }));
  });
}

type Addresses = Pick<NmiConfig, 'metadataIp' | 'metadataPort' | 'nmiPort' | 'nmiListenAddress'>;

const usual: Addresses = {
  metadataIp: nmiFlags.metadataIp.default,
  metadataPort: nmiFlags.metadataPort.default,
  nmiPort: nmiFlags.nmiPort.default,
  nmiListenAddress: nmiFlags.nmiListenAddress.default,
};

const placeKeys = ['metadataIp', 'metadataPort', 'nmiPort'] as const;

/** Untold where agents disagree: a policy that holds for some of them is none to offer. */
function doorOf(facts: Facts): Told<Door> {
  const agents = orNone(facts.agents);
  const all = agents.flatMap(({ settings }): Addresses[] => (typeof settings === 'object' ? [settings] : []));
  const [first = usual] = all;
  const odd = placeKeys.find((key) => all.some((each) => each[key] !== first[key]));
  if (odd) return { kind: 'untold', why: `agents disagree about --${nmiFlags[odd].flag}` };
  const { metadataIp, metadataPort, nmiPort } = first;
  // The original knows no hand-over.
  const isOld = agents.length > 0 && agents.every(({ original }) => original);
  const door = {
    metadata: { ip: metadataIp, port: metadataPort },
    ports: Array.from({ length: isOld ? 1 : podPortsUsed }, (_, i) => nmiPort + i),
    loopback: [first, ...all].every(({ nmiListenAddress }) => /^127\.|^0\.0\.0\.0$/.test(nmiListenAddress)),
  };
  return { kind: 'told', value: door };
}

function waysOf(
  policies: readonly EgressPolicy[],
  hostIp: string,
  { metadata, ports, loopback }: Door,
): Ways {
  const may = (ip: string, port: number): boolean => policies.some((policy) => allows(policy, { ip, port }));
  const open = (port: number): boolean => may(hostIp, port) || (loopback && may('127.0.0.1', port));
  return {
    before: may(metadata.ip, metadata.port),
    first: ports.slice(0, 1).every(open),
    all: ports.every(open),
  };
}

interface Cluster {
  /** Addresses of the nodes. */
  readonly nodes: readonly string[];
  readonly all: readonly EgressPolicy[];
}

function findingOf({ ways, policies, pods }: Group, door: Door, { nodes, all }: Cluster): Finding {
  const names = listed(policies.map(podKey));
  const isolate =
    policies.length > 1 ? `NetworkPolicies ${names} isolate` : `NetworkPolicy ${names} isolates`;
  return {
    severity: ways.before || ways.first ? 'warning' : 'error',
    what: `${isolate} the egress of ${listed(pods.map(podKey))}, and nothing allows ${missing(ways, door)}`,
    why: `${meaning(ways)}. The policy offered here holds the addresses of today's nodes`,
    mend: [allowing({ isolating: policies, all }, nodes, door)],
  };
}

function missing({ before, all }: Ways, { metadata, ports }: Door): string {
  const [first = 0] = ports;
  const shown = ports.length > 1 ? `ports ${first} to ${ports.at(-1)}` : `port ${first}`;
  return [
    ...(before ? [] : [`${metadata.ip}, port ${metadata.port}`]),
    ...(all ? [] : [`the node's address, ${shown}`]),
  ].join(' and ');
}

function meaning({ before, first, all }: Ways): string {
  if (before && first && !all)
    return 'An agent that took over from its predecessor listens on one of the further ports: where policies look behind the redirect, these pods get no token then';
  return before || first
    ? 'Some network plugins judge a packet before it is redirected to the agent, others after: on one of the two kinds these pods get no token'
    : 'Their requests for a token are dropped before an agent hears of them: SDKs time out';
}
