import type { Kind } from './kinds.ts';
import { forbidden } from './status.ts';

/** As in a ClusterRole; '*' stands for all. A subresource is `pods/status`. No namespaces: all of them. */
export interface Rule {
  readonly verbs: readonly string[];
  readonly groups: readonly string[];
  readonly resources: readonly string[];
  readonly namespaces?: readonly string[];
}

export interface User {
  readonly name: string;
  readonly rules: readonly Rule[];
}

export type Tokens = Readonly<Record<string, User>>;

/** Whoever shows no token. */
export const anonymous: User = { name: 'system:anonymous', rules: [] };

export const admin: User = { name: 'admin', rules: [{ verbs: ['*'], groups: ['*'], resources: ['*'] }] };

const read = ['get', 'list', 'watch'];

/** What the agent's ClusterRole grants. */
export const nmi: User = {
  name: 'system:serviceaccount:kube-system:aad-pod-id-nmi-service-account',
  rules: [
    { verbs: read, groups: [''], resources: ['pods', 'nodes'] },
    { verbs: ['get'], groups: [''], resources: ['secrets', 'namespaces'] },
    { verbs: ['create', 'patch'], groups: [''], resources: ['events'] },
    { verbs: read, groups: ['apps'], resources: ['daemonsets'] },
    { verbs: read, groups: ['aadpodidentity.k8s.io'], resources: ['*'] },
  ],
};

/** What MIC's ClusterRole grants. */
export const mic: User = {
  name: 'system:serviceaccount:kube-system:aad-pod-id-mic-service-account',
  rules: [
    { verbs: read, groups: [''], resources: ['pods', 'nodes'] },
    { verbs: ['create', 'patch'], groups: [''], resources: ['events'] },
    { verbs: ['get', 'create', 'patch'], groups: [''], resources: ['configmaps'] },
    { verbs: ['get'], groups: [''], resources: ['endpoints'] },
    { verbs: ['get', 'create', 'update'], groups: ['coordination.k8s.io'], resources: ['leases'] },
    { verbs: read, groups: ['aadpodidentity.k8s.io'], resources: ['*'] },
    {
      verbs: ['create', 'update', 'patch', 'delete'],
      groups: ['aadpodidentity.k8s.io'],
      resources: ['azureassignedidentities'],
    },
  ],
};

export const defaultTokens: Tokens = { 'admin-token': admin, 'nmi-token': nmi, 'mic-token': mic };

export interface Access {
  readonly verb: string;
  readonly kind: Kind;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
}

/** Throws 403 in the words of the RBAC authorizer. */
export function authorize(user: User, access: Access): void {
  const { verb, kind, namespace, subresource } = access;
  const resource = subresource ? `${kind.plural}/${subresource}` : kind.plural;
  const has = (granted: readonly string[], wanted: string): boolean =>
    granted.includes('*') || granted.includes(wanted);
  const granted = user.rules.some(
    (rule) =>
      has(rule.verbs, verb) &&
      has(rule.groups, kind.group) &&
      has(rule.resources, resource) &&
      (!rule.namespaces || has(rule.namespaces, namespace ?? '')),
  );
  if (granted) return;
  const scope = namespace ? `in the namespace "${namespace}"` : 'at the cluster scope';
  const what = `resource "${resource}" in API group "${kind.group}"`;
  throw forbidden(kind, `User "${user.name}" cannot ${verb} ${what} ${scope}`, access.name);
}
