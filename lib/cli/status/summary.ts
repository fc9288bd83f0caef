import type { AssignmentState } from '../../model/assigned-identity.ts';
import { bindingLabel } from '../../model/binding.ts';
import type { Decision } from '../../model/decision.ts';
import { byKey, compare } from '../../model/order.ts';
import { type Pod, podKey } from '../../model/pod.ts';
import { bindingSelects } from '../../model/selection.ts';
import { clean } from '../../model/text.ts';
import { explain } from '../../policy/explain.ts';
import { versionOf, type Workload } from '../agents/agent.ts';
import { itemsOf, judgeBy } from '../explain/judge.ts';
import type { Overview } from './read.ts';

/** What `podid status` tells, as plain data. */
export interface Summary {
  readonly mode: { readonly operationMode: string; readonly namespaced: boolean; readonly from: string };
  readonly nodes: readonly NodeRow[];
  readonly mic: readonly WorkloadRow[];
  readonly identities: readonly IdentityRow[];
  readonly assigned: Readonly<Record<Exclude<AssignmentState, ''>, number>>;
  readonly pods: { readonly served: number; readonly excepted: number; readonly without: readonly PodRow[] };
  /** What could not be read, one sentence each. */
  readonly untold: readonly string[];
}

export interface WorkloadRow {
  readonly pod: string;
  readonly node: string;
  readonly version: string;
  readonly ready: boolean;
  readonly why: string;
}

/** `agents`: two while one hands over to the other. An agent is ready once its rules are seen in the kernel and its caches filled. */
export interface NodeRow {
  readonly node: string;
  readonly ready: boolean;
  readonly agents: readonly WorkloadRow[];
}

export interface IdentityRow {
  readonly identity: string;
  readonly type: number;
  readonly clientId: string;
  readonly bindings: readonly string[];
}

/** A pod that is meant to have an identity, and would get no token. */
export interface PodRow {
  readonly pod: string;
  readonly node: string;
  readonly decision: 'wait' | 'deny';
  readonly code: string;
  readonly why: string;
}

/** Pure. */
export function summaryOf(overview: Overview): Summary {
  const { mode, mics } = overview;
  return {
    mode: { operationMode: mode.settings.operationMode, namespaced: mode.namespaced, from: mode.from },
    nodes: nodeRows(overview),
    mic: itemsOf(mics)
      .filter(({ deleting }) => !deleting)
      .toSorted(byKey)
      .map(workloadRow),
    identities: identityRows(overview),
    assigned: assignedCounts(overview),
    ...podRows(overview),
  };
}

function nodeRows({ nodes, agents }: Overview): readonly NodeRow[] {
  const pods = itemsOf(agents.pods).filter(({ node, deleting }) => node !== '' && !deleting);
  // Without the right to list nodes, those are told that have an agent.
  const known =
    nodes.kind === 'told'
      ? itemsOf(nodes)
          .filter(isLinux)
          .map(({ name }) => name)
      : [];
  const names = new Set([...known, ...pods.map(({ node }) => node)]);
  return [...names].sort(compare).map((node) => {
    const here = pods.filter((pod) => pod.node === node).toSorted(byKey);
    return { node, ready: here.some(({ ready }) => ready), agents: here.map(workloadRow) };
  });
}

/** No agent runs on Windows, nor did the original's. */
function isLinux({ labels }: { readonly labels: Readonly<Record<string, string>> }): boolean {
  return (labels['kubernetes.io/os'] ?? 'linux') === 'linux';
}

function workloadRow({ namespace, name, node, image, original, ready, why }: Workload): WorkloadRow {
  const version = original ? `${versionOf(image)} (the original)` : versionOf(image);
  return { pod: podKey({ namespace, name }), node, version, ready, why };
}

function identityRows({ books }: Overview): readonly IdentityRow[] {
  const bindings = itemsOf(books.bindings);
  return itemsOf(books.identities)
    .toSorted(byKey)
    .map(({ namespace, name, type, clientId }) => ({
      identity: podKey({ namespace, name }),
      type,
      clientId: clean(clientId),
      bindings: bindings
        .filter((each) => each.namespace === namespace && each.azureIdentity === name)
        .map(podKey),
    }));
}

function assignedCounts({ books }: Overview): Summary['assigned'] {
  const counts = { Created: 0, Assigned: 0, Unassigned: 0 };
  // '' is what MICs before 1.5 left, and means Assigned.
  for (const { state } of itemsOf(books.assigned)) counts[state || 'Assigned'] += 1;
  return counts;
}

function podRows({ mode, books, pods, nodes, agents, mics }: Overview): Pick<Summary, 'pods' | 'untold'> {
  const judge = judgeBy(mode, books);
  const sources = [nodes, agents.pods, agents.sets, mics, books.identities, judge, pods];
  const untold = sources.flatMap((source) => (source.kind === 'untold' ? [source.why] : []));
  const doubts = mode.doubt === undefined ? [] : [mode.doubt];
  const bindings = itemsOf(books.bindings);
  const meant = itemsOf(pods).filter((pod) => asks(pod) && isMeant(pod, bindings, !mode.namespaced));
  const judged = meant.flatMap((pod): (readonly [Pod, Decision])[] => {
    const decision = judge.kind === 'told' ? judge.value(pod, { resource: 'any' }) : judge;
    return decision.kind === 'told' ? [[pod, decision.value]] : [];
  });
  const count = (kind: Decision['kind']): number =>
    judged.filter(([, decision]) => decision.kind === kind).length;
  const without = judged
    .flatMap(([pod, decision]) => rowOf(pod, decision))
    .sort((a, b) => compare(a.pod, b.pod));
  return {
    pods: { served: count('allow'), excepted: count('pass'), without },
    untold: [...new Set([...untold, ...doubts])],
  };
}

function asks({ hostNetwork, activity, node }: Pod): boolean {
  return !hostNetwork && activity !== 'ended' && node !== '';
}

function isMeant(
  pod: Pod,
  bindings: readonly Parameters<typeof bindingSelects>[0][],
  anyNamespace: boolean,
): boolean {
  return (
    pod.labels[bindingLabel] !== undefined || bindings.some((each) => bindingSelects(each, pod, anyNamespace))
  );
}

function rowOf(pod: Pod, decision: Decision): readonly PodRow[] {
  if (decision.kind !== 'wait' && decision.kind !== 'deny') return [];
  const { kind, why } = decision;
  return [{ pod: podKey(pod), node: pod.node, decision: kind, code: why.code, why: explain(pod, decision) }];
}
