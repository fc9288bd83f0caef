import type { KubeInput } from '../lab/kube/object.ts';
import type { Use } from './gate/uses.ts';

/** One verb on one resource, as a role grants it. */
export interface Grant {
  /** `ClusterRole NAME` or `Role NAMESPACE/NAME`. */
  readonly role: string;
  readonly user: string;
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  /** '' for every namespace. */
  readonly namespace: string;
  /** '' for every name. */
  readonly name: string;
}

interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
}

interface Ref {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

/** What the roles among these objects grant to service accounts, verb by verb. */
export function grantsIn(objects: readonly KubeInput[]): Grant[] {
  return objects
    .filter(({ kind }) => kind === 'ClusterRoleBinding' || kind === 'RoleBinding')
    .flatMap((binding) => {
      const { kind, name } = binding.roleRef as Ref;
      const namespace = binding.kind === 'RoleBinding' ? (binding.metadata.namespace ?? 'default') : '';
      const role = objects.find((each) => each.kind === kind && each.metadata.name === name);
      const accounts = (binding.subjects as readonly Ref[]).filter((one) => one.kind === 'ServiceAccount');
      const title = kind === 'Role' ? `Role ${namespace}/${name}` : `ClusterRole ${name}`;
      return accounts.flatMap((account) => {
        const user = `system:serviceaccount:${account.namespace}:${account.name}`;
        return grantsOf((role?.rules ?? []) as readonly PolicyRule[]).map((grant) => ({
          ...{ role: title, user, namespace },
          ...grant,
        }));
      });
    });
}

function grantsOf(rules: readonly PolicyRule[]): Pick<Grant, 'verb' | 'group' | 'resource' | 'name'>[] {
  return rules.flatMap(({ verbs, apiGroups, resources, resourceNames = [''] }) =>
    verbs.flatMap((verb) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => resourceNames.map((name) => ({ verb, group, resource, name }))),
      ),
    ),
  );
}

/** Grants that no request went by. One that was refused went by none. */
export function unusedOf(grants: readonly Grant[], uses: readonly Use[]): Grant[] {
  const allowed = uses.filter(({ status }) => status !== 401 && status !== 403);
  return grants.filter((grant) => !allowed.some((use) => covers(grant, use)));
}

/** What was refused and never allowed, each in words. While an install comes in, rights come after who needs them. */
export function refusedOf(uses: readonly Use[]): string[] {
  const isAllowed = ({ status }: Use): boolean => status !== 401 && status !== 403;
  const allowed = new Set(uses.filter(isAllowed).map(said));
  const refused = uses.filter((use) => !isAllowed(use)).map(said);
  return [...new Set(refused)].filter((words) => !allowed.has(words));
}

function covers(grant: Grant, use: Use): boolean {
  const same = (['user', 'verb', 'group', 'resource'] as const).every((field) => grant[field] === use[field]);
  const here = grant.namespace === '' || grant.namespace === use.namespace;
  return same && here && (grant.name === '' || grant.name === use.name);
}

/** `system:serviceaccount:a:b get azureidentities.aadpodidentity.k8s.io in c`. */
export function said({ user, verb, group, resource, namespace }: Grant | Use): string {
  const place = namespace === '' ? '' : ` in ${namespace}`;
  return `${user} ${verb} ${group === '' ? resource : `${resource}.${group}`}${place}`;
}
