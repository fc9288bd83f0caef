import { podKey } from '../../model/pod.ts';
import { clean } from '../../model/text.ts';
import type { Agent, Workload } from '../agents/agent.ts';
import { byHelm, byLabels, installing, ofAgentSets, ofMicDeployments } from '../agents/commands.ts';
import { quoted } from '../shell.ts';
import { orNone } from '../told.ts';
import type { Complaint, Facts } from './facts.ts';
import { type Finding, judge, listed, together, type Verdict } from './finding.ts';
import { wantingIdentity } from './labels.ts';
import { restoring, strange } from './strangers.ts';

/** Agents that are missing, not ready, or two on a node. Ready says that the rules stand, as the kernel shows them. */
export function checkAgents(facts: Facts): Verdict {
  const { agents, pods, bindings, nodes } = facts;
  const complaints = orNone(facts.complaints);
  return together(
    { findings: strange('nmi', facts), untold: [] },
    judge({ agents }, (read) => [
      ...none(read.agents.filter(isThere), facts),
      ...unready(read.agents, complaints),
      ...refused(read.agents),
    ]),
    judge({ agents, pods, bindings, nodes }, (read) => {
      if (!read.agents.some(isThere)) return [];
      const served = new Set(read.agents.filter(isThere).map(({ node }) => node));
      const linux = new Set(read.nodes.filter(({ os }) => os !== 'windows').map(({ name }) => name));
      const index = wantingIdentity(read.bindings);
      const needy = read.pods.filter((pod) => !pod.ended && !pod.hostNetwork && index.wants(pod));
      return [
        ...unserved(
          [...linux].filter((node) => !served.has(node)),
          needy,
          facts.agentSets,
        ),
        ...windows(needy.filter(({ node }) => !linux.has(node))),
      ];
    }),
  );
}

/** One that is leaving serves until it is not ready any more. */
function isThere({ deleting, ready }: Agent): boolean {
  return ready || !deleting;
}

/** MIC, where there has to be one, and not where there must be none. */
export function checkMic(facts: Facts): Verdict {
  return together({ findings: strange('mic', facts), untold: [] }, checkOwnMic(facts));
}

function checkOwnMic({ mics, mode, complaints, agents }: Facts): Verdict {
  return judge({ mics, mode }, (read): readonly Finding[] => {
    const ready = read.mics.filter((mic) => mic.ready);
    if (read.mode.managed) return read.mics.length > 0 ? [needless(read.mics)] : [];
    if (read.mics.length === 0) return orNone(agents).length > 0 ? [noMic] : [];
    const waiting = unready(read.mics, orNone(complaints), ready.length > 0 ? 'warning' : 'error');
    return waiting.map((finding) => ({ ...finding, why: 'New pods get no identity while no MIC leads' }));
  });
}

const noMic: Finding = {
  severity: 'error',
  what: 'The agents run in standard mode, and there is no MIC',
  why: `New pods get no identity, and nobody takes identities off the machines. ${byHelm}`,
  mend: [installing('standard')],
};

function needless(mics: readonly Workload[]): Finding {
  return {
    severity: 'warning',
    what: `The agents run in managed mode, and MIC runs too: ${listed(mics.map(podKey))}`,
    why: 'Agents do not read what it assigns, and it takes identities that you assigned off the machines when its own pods go',
    mend: ofMicDeployments(
      mics,
      (name, namespace) => `kubectl delete deployment ${quoted(name)} -n ${quoted(namespace)}`,
    ),
  };
}

function none(agents: readonly Agent[], facts: Facts): readonly Finding[] {
  if (agents.length > 0) return [];
  const replacing = restoring(facts);
  const why =
    'Unless agents run otherwise, pods reach the metadata service as the node, and may take any identity that it has';
  const looking = byLabels((selector) => `kubectl get daemonsets -A -l ${selector}`);
  return [
    {
      severity: 'error',
      what: 'No agent (NMI) runs as a pod',
      why: replacing.length > 0 ? `${why}. ${byHelm}` : why,
      mend: replacing.length > 0 ? replacing : looking,
    },
  ];
}

function unready(
  workloads: readonly Workload[],
  complaints: readonly Complaint[],
  severity: Finding['severity'] = 'error',
): readonly Finding[] {
  return workloads
    .filter(({ ready, deleting }) => !ready && !deleting)
    .map((workload) => {
      const { namespace, name, node, why } = workload;
      const said = complaints.find((each) => each.namespace === namespace && each.pod === name)?.message;
      return {
        severity,
        what: `${podKey(workload)}${node === '' ? '' : ` on ${node}`} is not ready: ${clean(said ?? why)}`,
        why: 'Not ready means that its rules do not stand, that it cannot read the cluster, or that it does not listen: pods of this node get no token',
        mend: [
          `kubectl describe pod ${name} -n ${namespace}`,
          `kubectl logs ${name} -n ${namespace} --tail=50`,
        ],
      };
    });
}

function refused(agents: readonly Agent[]): readonly Finding[] {
  const wrong = agents.filter(({ settings, original }) => typeof settings === 'string' && !original);
  return wrong.slice(0, 1).map((agent) => ({
    severity: 'error',
    what: `The command line of ${listed(wrong.map(podKey))} is refused: ${clean(String(agent.settings))}`,
    why: 'An agent with such a command line does not start',
    mend: [`kubectl describe pod ${agent.name} -n ${agent.namespace}`],
  }));
}

function unserved(
  nodes: readonly string[],
  needy: readonly { readonly node: string }[],
  agentSets: Facts['agentSets'],
): readonly Finding[] {
  if (nodes.length === 0) return [];
  const look = ofAgentSets(
    agentSets,
    (name, namespace) => `kubectl describe daemonset ${quoted(name)} -n ${quoted(namespace)}`,
  );
  const inNeed = nodes.filter((node) => needy.some((pod) => pod.node === node));
  return [
    {
      severity: 'error',
      what: `No agent on ${listed(inNeed.length > 0 ? inNeed : nodes)}${inNeed.length > 0 ? ', where pods with identities run' : ''}`,
      why: 'Pods of a node without an agent reach the metadata service as the node, and may take any identity that it has',
      mend: [...look, `kubectl describe node ${inNeed[0] ?? nodes[0]}`],
    },
  ];
}

/** There is no agent for Windows. */
function windows(
  pods: readonly { readonly namespace: string; readonly name: string; readonly node: string }[],
): readonly Finding[] {
  const placed = pods.filter(({ node }) => node !== '');
  if (placed.length === 0) return [];
  return [
    {
      severity: 'warning',
      what: `Pods with identities on nodes that are no Linux: ${listed(placed.map(podKey))}`,
      why: 'There is no agent on such nodes, so they get no token',
      mend: [`kubectl get pod ${placed[0]?.name} -n ${placed[0]?.namespace} -o wide`],
    },
  ];
}
