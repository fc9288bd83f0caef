import type { Connection } from '../../kube/connection.ts';
import { parseNode } from '../../kube/daemonsets.ts';
import { listAll } from '../../kube/list.ts';
import type { Resource } from '../../kube/resource.ts';
import { podsOfNode } from '../../kube/resources.ts';
import { bindingLabel } from '../../model/binding.ts';
import type { NodeLabels } from '../../model/node-selector.ts';
import { type Pod, podKey } from '../../model/pod.ts';
import type { Workload } from '../agents/agent.ts';
import { Programs } from '../agents/read.ts';
import { type Books, readBooks } from '../explain/books.ts';
import { type Agents, type Mode, type ModeFlags, modeOn } from '../explain/mode.ts';
import { orNone, type Told, told, toldList } from '../told.ts';

/** What there is in the cluster, as far as it could be read. */
export interface Overview {
  readonly nodes: Told<readonly NodeLabels[]>;
  readonly agents: Agents;
  /** Pods that look like agents and are none of the cluster's. */
  readonly strangers: readonly Workload[];
  readonly mode: Mode;
  readonly mics: Told<readonly Workload[]>;
  readonly books: Books;
  /** Those that carry the label, and all of a namespace in which a podSelector looks for others. */
  readonly pods: Told<readonly Pod[]>;
}

/** `namespace`: of identities and pods; '' for all. */
export async function readOverview(
  connection: Connection,
  { namespace, given }: { readonly namespace: string; readonly given: ModeFlags },
  signal: AbortSignal,
): Promise<Overview> {
  const programs = new Programs(connection, signal);
  const [nodes, mics, pods, sets] = await Promise.all([
    readNodes(connection, signal),
    programs.mics(),
    programs.agents(),
    programs.agentSets(),
  ]);
  const agents = { pods, sets };
  const mode = modeOn('', agents, given);
  const place = { namespace: namespace || undefined, node: undefined };
  const all = mode.doubt === undefined ? mode : { ...mode, managed: false, namespaced: false };
  const books = await readBooks(connection, { ...all, byNode: false }, place, signal);
  const strangers = programs.strangers('nmi');
  return {
    nodes,
    agents,
    strangers,
    mode,
    mics,
    books,
    pods: await readPods(connection, books, namespace, signal),
  };
}

function readNodes(connection: Connection, signal: AbortSignal): Promise<Told<readonly NodeLabels[]>> {
  const nodes: Resource<NodeLabels> = { name: 'nodes', path: '/api/v1/nodes', parse: parseNode };
  return toldList(connection, nodes, signal);
}

async function readPods(
  connection: Connection,
  books: Books,
  namespace: string,
  signal: AbortSignal,
): Promise<Told<readonly Pod[]>> {
  const { parse } = podsOfNode('');
  const of = (place: string, labelSelector?: string): Resource<Pod> => ({
    name: 'pods',
    path: place === '' ? '/api/v1/pods' : `/api/v1/namespaces/${encodeURIComponent(place)}/pods`,
    ...(labelSelector !== undefined && { query: { labelSelector } }),
    parse,
  });
  const bySelector = orNone(books.bindings).filter(({ podSelector }) => podSelector !== undefined);
  const looked = bySelector
    .map((binding) => binding.namespace)
    .filter((each) => namespace === '' || each === namespace);
  const resources = [of(namespace, bindingLabel), ...[...new Set(looked)].map((each) => of(each))];
  const lists = Promise.all(resources.map((resource) => listAll(connection, resource, signal)));
  const all = lists.then(
    (found) => new Map(found.flatMap(({ items }) => items.map((pod) => [podKey(pod), pod] as const))),
  );
  return told(
    of(namespace),
    all.then((pods) => [...pods.values()]),
  );
}
