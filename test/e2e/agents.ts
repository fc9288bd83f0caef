import { eventually } from '../lab/eventually.ts';
import type { KubeObject } from '../lab/kube/object.ts';
import type { Kubectl } from './kubectl.ts';
import type { Nodes } from './nodes.ts';
import { long } from './patience.ts';
import { isReady } from './workload.ts';

/** Where an install puts the agent: managed mode into kube-system, standard mode into default. */
export type Home = 'kube-system' | 'default';

export const daemonSet = 'nmi';
export const agentLabels = 'component=nmi,tier=node';

/** The agents that are not on their way out. */
export async function agentsIn(kubectl: Kubectl, home: Home): Promise<KubeObject[]> {
  const all = await kubectl.list('pods', '-n', home, '-l', agentLabels);
  return all.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

export async function agentOn(kubectl: Kubectl, home: Home, node: string): Promise<KubeObject> {
  const found = (await agentsIn(kubectl, home)).find(({ spec }) => spec?.nodeName === node);
  if (!found) throw new Error(`there is no agent on ${node}`);
  return found;
}

/** Waits until every one of `count` nodes has a ready agent, none of them in `gone` (uids); gives them. */
export async function agentsReady(
  kubectl: Kubectl,
  home: Home,
  { count, gone = [] }: { readonly count: number; readonly gone?: readonly string[] },
): Promise<KubeObject[]> {
  return eventually(
    'every node has a ready agent',
    async () => {
      const agents = await agentsIn(kubectl, home);
      const isNew = ({ metadata }: KubeObject): boolean => !gone.includes(metadata.uid ?? '');
      return agents.length === count && agents.every((pod) => isNew(pod) && isReady(pod))
        ? agents
        : undefined;
    },
    long,
  );
}

/** How often its containers have ended and been started again. */
export function restartsOf({ status }: KubeObject): number {
  const states = (status?.containerStatuses ?? []) as readonly { readonly restartCount: number }[];
  return states.reduce((sum, { restartCount }) => sum + restartCount, 0);
}

export function isRunning({ status }: KubeObject): boolean {
  const states = (status?.containerStatuses ?? []) as readonly { readonly state: object }[];
  return states.length > 0 && states.every(({ state }) => 'running' in state);
}

export const uidOf = ({ metadata }: KubeObject): string => metadata.uid ?? '';

/** Kills the agent on the node with -9, does what is to be done meanwhile, and waits until its container is ready again. */
export async function kill(
  kubectl: Kubectl,
  nodes: Nodes,
  { home, node, meanwhile }: { home: Home; node: string; meanwhile?: () => Promise<void> },
): Promise<void> {
  const before = await agentOn(kubectl, home, node);
  await nodes.killAgents(node);
  await meanwhile?.();
  await eventually(
    'the agent has been started again and is ready',
    async () => {
      const now = await agentOn(kubectl, home, node);
      return uidOf(now) === uidOf(before) && restartsOf(now) > restartsOf(before) && isReady(now);
    },
    long,
  );
}
