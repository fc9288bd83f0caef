import type { Json, KubeInput } from '../lab/kube/object.ts';

/** Where tenants may write; the agents of these tests are of `kube-system` or of `default`. */
export const tenant = 'evil';

const images = {
  own: 'docker.io/library/pod-identity:0.1.0',
  original: 'mcr.microsoft.com/oss/azure/aad-pod-identity/nmi:v1.8.17',
};

interface SetFields {
  readonly name?: string;
  readonly args?: readonly string[];
  readonly account?: string;
  readonly image?: keyof typeof images;
  readonly spec?: Json;
}

/** A DaemonSet with all that shows of one that brings agents. */
export function anAgentSet(
  namespace: string,
  { name = 'nmi', args = [], account = 'nmi', image = 'own', spec = {} }: SetFields = {},
): KubeInput {
  const labels = { component: 'nmi' };
  const containers = [{ name: 'nmi', image: images[image], args: ['--node=x', ...args] }];
  const podSpec = { hostNetwork: true, serviceAccountName: account, containers, ...spec };
  return {
    ...{ apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name, namespace, labels } },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: podSpec } },
  };
}

/** The same pod in another namespace, with this service account. */
export function movedTo(namespace: string, pod: KubeInput, account = 'nmi'): KubeInput {
  return {
    ...pod,
    metadata: { ...pod.metadata, namespace },
    spec: { ...pod.spec, serviceAccountName: account },
  };
}

const group = 'aadpodidentity.k8s.io';
const bindings = ['azureidentitybindings', 'azurepodidentityexceptions'];
const reading = { apiGroups: [group], resources: bindings, verbs: ['get', 'list', 'watch'] };

const rights = {
  nmi: [
    { apiGroups: [group], resources: bindings, verbs: ['list', 'watch'] },
    { apiGroups: [''], resources: ['nodes'], verbs: ['get'] },
  ],
  original: [
    { apiGroups: ['apiextensions.k8s.io'], resources: ['customresourcedefinitions'], verbs: ['get', 'list'] },
    reading,
  ],
  mic: [{ apiGroups: [group], resources: ['azureassignedidentities'], verbs: ['*'] }],
  // What an administrator may well give to a tenant's account.
  harmless: [{ apiGroups: [group], resources: ['azureidentities'], verbs: ['get', 'list'] }],
  // With what daemonset/base/user-roles.yaml adds to it.
  view: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] }, reading],
  nodes: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch'] }],
};

/** That this service account may do in all namespaces what the program needs. */
export function granted(
  role: keyof typeof rights,
  namespace: string,
  account = role === 'mic' ? 'mic' : 'nmi',
): readonly KubeInput[] {
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  return [
    { apiVersion, kind: 'ClusterRole', metadata: { name: role }, rules: rights[role] },
    {
      ...{ apiVersion, kind: 'ClusterRoleBinding', metadata: { name: `${role}-${namespace}` } },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      subjects: [{ kind: 'ServiceAccount', namespace, name: account }],
    },
  ] as never;
}
