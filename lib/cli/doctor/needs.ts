import type { AzureIdentity } from '../../model/identity.ts';
import type { Severity } from './finding.ts';

/** A right that a program needs. */
export interface Need {
  readonly verb: string;
  /** '' is the core group. */
  readonly group: string;
  readonly resource: string;
  /** Undefined: in all namespaces. */
  readonly namespace?: string;
  readonly name?: string;
  /** What happens without it. */
  readonly without: string;
  readonly severity: Severity;
}

export interface AgentKind {
  /** Of its pods. */
  readonly namespace: string;
  /** That brings them. */
  readonly daemonSet: string;
  readonly managed: boolean;
  /** Service principals, whose Secrets it reads. */
  readonly principals: readonly AzureIdentity[];
}

const ours = 'aadpodidentity.k8s.io';

/** What the agent asks of the API server; daemonset/base/nmi-rbac.yaml grants it. */
export function agentNeeds({ namespace, daemonSet, managed, principals }: AgentKind): readonly Need[] {
  const blind = error('the agent is not ready, and pods of its node get no token');
  const untold = warning('nobody sees at a pod why it gets no token');
  const leaving = warning('an agent that ends opens its node, also in an upgrade (--on-shutdown=auto)');
  const books = [managed ? 'azureidentities' : 'azureassignedidentities', 'azureidentitybindings'];
  return [
    ...blind('', ['pods'], 'list watch'),
    ...blind(ours, [...books, 'azurepodidentityexceptions'], 'list watch'),
    ...untold('', ['events'], 'create'),
    ...leaving('', ['nodes'], 'get'),
    ...within({ namespace }, leaving('', ['pods'], 'get')),
    ...within({ namespace, name: daemonSet }, leaving('apps', ['daemonsets'], 'get')),
    ...principals.flatMap(secretOf),
  ];
}

/** What MIC asks of it; daemonset/components/mic/mic-rbac.yaml grants it. `lease` is where its leader is elected. */
export function micNeeds(lease: { readonly namespace: string; readonly name: string }): readonly Need[] {
  const idle = error('MIC assigns nothing');
  const untold = warning('nobody sees why an identity is not assigned');
  return [
    ...idle('', ['pods', 'nodes'], 'list watch'),
    ...idle(ours, ['azureidentities', 'azureidentitybindings'], 'list watch'),
    ...idle(ours, ['azureassignedidentities'], 'get list watch create update patch delete'),
    ...within(lease, idle('coordination.k8s.io', ['leases'], 'get update')),
    ...untold('', ['events'], 'create'),
  ];
}

type Needs = (group: string, resources: readonly string[], verbs: string) => readonly Need[];

function error(without: string): Needs {
  return needs({ severity: 'error', without });
}

function warning(without: string): Needs {
  return needs({ severity: 'warning', without });
}

function needs(lack: Pick<Need, 'severity' | 'without'>): Needs {
  return (group, resources, verbs) =>
    resources.flatMap((resource) => verbs.split(' ').map((verb) => ({ verb, group, resource, ...lack })));
}

function within(place: Pick<Need, 'namespace' | 'name'>, all: readonly Need[]): readonly Need[] {
  return all.map((need) => ({ ...need, ...place }));
}

function secretOf({ servicePrincipal }: AzureIdentity): readonly Need[] {
  if (!servicePrincipal) return [];
  const lost = error('pods get no token of this service principal');
  return within(servicePrincipal.secret, lost('', ['secrets'], 'get'));
}
