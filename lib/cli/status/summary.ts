import type { AssignmentState, AzureAssignedIdentity } from '../../model/assigned-identity.ts';
import { bindingLabel } from '../../model/binding.ts';
import type { Decision } from '../../model/decision.ts';
import type { AzureIdentity } from '../../model/identity.ts';
import { byKey, compare } from '../../model/order.ts';
import { type Pod, podKey } from '../../model/pod.ts';
import { clean } from '../../model/text.ts';
import { explain } from '../../policy/explain.ts';
import { versionOf, type Workload } from '../agents/agent.ts';
import { strangeness } from '../agents/standing.ts';
import { BindingIndex } from '../binding-index.ts';
import type { Books } from '../explain/books.ts';
import { judgeBy } from '../explain/judge.ts';
import { orNone, type Told } from '../told.ts';
import type { Overview } from './read.ts';

/** What `podid status` tells, as plain data. Null is what could not be told; `untold` says why. */
export interface Summary {
  readonly mode: ModeRow;
  /** Whether all nodes could be listed; else `nodes` are those that have an agent. */
  readonly allNodes: boolean;
  readonly nodes: readonly NodeRow[];
  readonly mic: readonly WorkloadRow[] | null;
  readonly identities: readonly IdentityRow[] | null;
  readonly assigned: Readonly<Record<Exclude<AssignmentState, ''>, number>> | null;
  readonly pods: PodsRow | null;
  /** What could not be read, one sentence each. */
  readonly untold: readonly string[];
}

/** `known`: it was read, or is said by the caller, and is no guess. */
export interface ModeRow {
  readonly operationMode: string;
  readonly namespaced: boolean;
  readonly from: string;
  readonly known: boolean;
}

export interface PodsRow {
  readonly served: number;
  readonly excepted: number;
  readonly without: readonly PodRow[];
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
  readonly ready: boolean | null;
  readonly agents: readonly WorkloadRow[] | null;
}

export interface IdentityRow {
  readonly identity: string;
  readonly type: number;
  readonly clientId: string;
  readonly bindings: readonly string[] | null;
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
  const { mode, mics, nodes, books } = overview;
  const { namespaced, from, settings, doubt } = mode;
  return {
    mode: { operationMode: settings.operationMode, namespaced, from, known: doubt === undefined },
    allNodes: nodes.kind === 'told',
    nodes: nodeRows(overview),
    mic: whereTold(mics, micRows),
    identities: whereTold(books.identities, (identities) => identityRows(identities, books)),
    assigned: whereTold(books.assigned, assignedCounts),
    pods: podRows(overview),
    untold: untoldOf(overview),
  };
}

/** Null of what could not be read. */
function whereTold<T, R>(told: Told<T>, tell: (value: T) => R): R | null {
  return told.kind === 'told' ? tell(told.value) : null;
}

function untoldOf(overview: Overview): readonly string[] {
  const { mode, books, pods, nodes, agents, mics } = overview;
  const sources = [
    nodes,
    agents.pods,
    agents.sets,
    mics,
    ...Object.values<Told<unknown>>({ ...books }),
    pods,
  ];
  const whys = sources.flatMap((source) => (source.kind === 'untold' ? [source.why] : []));
  return [
    ...new Set([...whys, ...(mode.doubt === undefined ? [] : [mode.doubt]), ...strangenessOf(overview)]),
  ];
}

/** Beside agents that count, others are of no account here; alone, they may be agents that have lost their rights. */
function strangenessOf({ agents, strangers: [first] }: Overview): readonly string[] {
  return first && orNone(agents.pods).length === 0 ? [strangeness('nmi', first).found] : [];
}

function micRows(mics: readonly Workload[]): readonly WorkloadRow[] {
  return mics
    .filter(({ deleting }) => !deleting)
    .toSorted(byKey)
    .map(workloadRow);
}

function nodeRows({ nodes, agents }: Overview): readonly NodeRow[] {
  const pods = orNone(agents.pods).filter(({ node, deleting }) => node !== '' && !deleting);
  // Without the right to list nodes, those are told that have an agent.
  const known = orNone(nodes)
    .filter(isLinux)
    .map(({ name }) => name);
  const names = new Set([...known, ...pods.map(({ node }) => node)]);
  return [...names].sort(compare).map((node) => {
    if (agents.pods.kind === 'untold') return { node, ready: null, agents: null };
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

function identityRows(
  identities: readonly AzureIdentity[],
  { bindings }: Pick<Books, 'bindings'>,
): readonly IdentityRow[] {
  const byIdentity = Map.groupBy(orNone(bindings), ({ namespace, azureIdentity }) =>
    podKey({ namespace, name: azureIdentity }),
  );
  return identities.toSorted(byKey).map(({ namespace, name, type, clientId }) => ({
    identity: podKey({ namespace, name }),
    type,
    clientId: clean(clientId),
    bindings: whereTold(bindings, () => (byIdentity.get(podKey({ namespace, name })) ?? []).map(podKey)),
  }));
}

function assignedCounts(assigned: readonly AzureAssignedIdentity[]): Summary['assigned'] {
  const counts = { Created: 0, Assigned: 0, Unassigned: 0 };
  // '' is what MICs before 1.5 left, and means Assigned.
  for (const { state } of assigned) counts[state || 'Assigned'] += 1;
  return counts;
}

function podRows({ mode, books, pods }: Overview): PodsRow | null {
  const judge = judgeBy(mode, books);
  if (judge.kind === 'untold' || pods.kind === 'untold') return null;
  const index = new BindingIndex(orNone(books.bindings), mode);
  const isMeant = (pod: Pod): boolean => pod.labels[bindingLabel] !== undefined || index.hasFor(pod);
  const meant = pods.value.filter((pod) => asks(pod) && isMeant(pod));
  const judged = meant.flatMap((pod): (readonly [Pod, Decision])[] => {
    const decision = judge.value(pod, { resource: 'any' });
    return decision.kind === 'told' ? [[pod, decision.value]] : [];
  });
  const count = (kind: Decision['kind']): number =>
    judged.filter(([, decision]) => decision.kind === kind).length;
  const without = judged
    .flatMap(([pod, decision]) => rowOf(pod, decision))
    .sort((a, b) => compare(a.pod, b.pod));
  return { served: count('allow'), excepted: count('pass'), without };
}

function asks({ hostNetwork, activity, node }: Pod): boolean {
  return !hostNetwork && activity !== 'ended' && node !== '';
}

function rowOf(pod: Pod, decision: Decision): readonly PodRow[] {
  if (decision.kind !== 'wait' && decision.kind !== 'deny') return [];
  const { kind, why } = decision;
  return [{ pod: podKey(pod), node: pod.node, decision: kind, code: why.code, why: explain(pod, decision) }];
}
