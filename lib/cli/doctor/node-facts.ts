import { podKey } from '../../model/pod.ts';
import { ofAgentSets } from '../agents/commands.ts';
import { quoted } from '../shell.ts';
import { orNone } from '../told.ts';
import type { AgentLog, Facts } from './facts.ts';
import { type Finding, judge, listed, type Verdict } from './finding.ts';
import { networkOf } from './networks.ts';

/** Which iptables backend each agent has chosen, as it logs at its start. */
export function checkBackend({ logs }: Facts): Verdict {
  const chosen = orNone(logs).map((log) => ({ log, backend: backendIn(log) }));
  const verdict = judge({ logs }, (read) => [...mixed(chosen), ...unsearched(read.logs)]);
  // A log is cut off in time; but whose rules stand, as the kernel shows them, has chosen well.
  const silent = chosen
    .filter(({ backend, log }) => backend === undefined && !log.agent.ready)
    .map(({ log }) => podKey(log.agent));
  if (silent.length === 0) return verdict;
  const why = `${listed(silent)}: no line about the iptables backend is kept in the log`;
  return { ...verdict, untold: [...verdict.untold, why] };
}

/** Nodes on whose network a pod can take another's address. The agent names them, since it sees the interfaces. */
export function checkBridges(facts: Facts): Verdict {
  const { logs, agents, agentSets, daemonSets } = facts;
  const own = orNone(agents).map(({ settings }) => typeof settings === 'object' && settings.pinNeighbours);
  if (own.length > 0 && own.every(Boolean)) return { findings: [], untold: [] };
  if (logs.kind === 'told') return judge({ logs }, (read) => bridged(read.logs, agentSets));
  const verdict = judge({ daemonSets }, (read) => {
    const network = networkOf(read.daemonSets);
    return network?.link === 'bridge' ? [bridgeOf(`${network.title} puts pods on a bridge`, agentSets)] : [];
  });
  return { ...verdict, untold: [...verdict.untold, logs.why] };
}

function mixed(
  chosen: readonly { readonly log: AgentLog; readonly backend: string | undefined }[],
): readonly Finding[] {
  const groups = Object.groupBy(
    chosen.filter(({ backend }) => backend !== undefined),
    ({ backend = '' }) => backend,
  );
  if (Object.keys(groups).length < 2) return [];
  const said = Object.entries(groups).map(
    ([backend, group = []]) =>
      `${backend} on ${listed(
        group.map(({ log }) => log.agent.node),
        3,
      )}`,
  );
  return [
    {
      severity: 'note',
      what: `Nodes differ in their iptables backend: ${said.join('; ')}`,
      why: 'Each agent follows the kubelet of its node, so nothing is wrong; a node whose image was changed shows here',
      mend: ['kubectl get nodes -o wide'],
    },
  ];
}

function unsearched(logs: readonly AgentLog[]): readonly Finding[] {
  const said = logs.filter(({ lines }) => saying(lines, 'the other iptables backend could not be searched'));
  if (said.length === 0) return [];
  return [
    {
      severity: 'warning',
      what: `Agents that could not look into the other iptables backend: ${listed(said.map(({ agent }) => podKey(agent)))}`,
      why: 'Rules that another agent left there would take the packets first',
      mend: [`kubectl logs ${said[0]?.agent.name} -n ${said[0]?.agent.namespace}`],
    },
  ];
}

function bridged(logs: readonly AgentLog[], agentSets: Facts['agentSets']): readonly Finding[] {
  const said = logs.filter(({ lines }) => saying(lines, 'pods on this bridge that have NET_RAW'));
  const kubenet = logs.filter(({ lines }) => saying(lines, 'this node runs kubenet'));
  const nodes = [...said, ...kubenet].map(({ agent }) => agent.node);
  return nodes.length === 0 ? [] : [bridgeOf(`Pods are on a bridge on ${listed(nodes)}`, agentSets)];
}

function bridgeOf(what: string, agentSets: Facts['agentSets']): Finding {
  return {
    severity: 'warning',
    what,
    why: "On a bridge a pod that has the capability NET_RAW can take a neighbour's address, and with it the identity. Either of these ends it",
    mend: [
      ...pinning(agentSets),
      'kubectl label namespace NAMESPACE pod-security.kubernetes.io/enforce=restricted',
    ],
  };
}

/** The original knows no such flag, and would not start with it. */
function pinning(agentSets: Facts['agentSets']): readonly string[] {
  const own = orNone(agentSets).filter(({ original }) => !original);
  if (own.length === 0 && orNone(agentSets).length > 0) return [];
  return ofAgentSets(
    agentSets.kind === 'told' ? { ...agentSets, value: own } : agentSets,
    (name, namespace, set) => {
      const args = `/spec/template/spec/containers/${set?.container ?? 0}/args`;
      const flag = '--pin-neighbours';
      const add = set?.hasArgs === false ? { path: args, value: [flag] } : { path: `${args}/-`, value: flag };
      const patch = JSON.stringify([{ op: 'add', ...add }]);
      return `kubectl patch daemonset ${quoted(name)} -n ${quoted(namespace)} --type=json -p=${quoted(patch)}`;
    },
  );
}

function backendIn({ lines }: AgentLog): string | undefined {
  const line = lines.findLast((each) => each.includes('iptables backend chosen'));
  return /backend["=:]+(nft|legacy)/.exec(line ?? '')?.[1];
}

function saying(lines: readonly string[], words: string): boolean {
  return lines.some((line) => line.includes(words));
}
