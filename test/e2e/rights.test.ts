import t from 'tap';
import type { KubeInput } from '../lab/kube/object.ts';
import type { Use } from './gate/uses.ts';
import { grantsIn, refusedOf, said, unusedOf } from './rights.ts';

const user = 'system:serviceaccount:a:agent';
const subjects = [{ kind: 'ServiceAccount', name: 'agent', namespace: 'a' }];
const object = (kind: string, rest: object, namespace?: string): KubeInput => ({
  ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind },
  ...{ metadata: { name: 'role', ...(namespace && { namespace }) }, ...rest },
});
const objects = [
  object('ClusterRole', { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] }] }),
  object('ClusterRoleBinding', { roleRef: { kind: 'ClusterRole', name: 'role' }, subjects }),
  object(
    'Role',
    { rules: [{ apiGroups: [''], resources: ['configmaps'], resourceNames: ['one'], verbs: ['get'] }] },
    'a',
  ),
  object('RoleBinding', { roleRef: { kind: 'Role', name: 'role' }, subjects }, 'a'),
];
const use = (over: Partial<Use>): Use => ({
  ...{ user, verb: 'list', group: '', resource: 'pods', namespace: '', name: '', status: 200 },
  ...over,
});
const one = { verb: 'get', resource: 'configmaps', namespace: 'a', name: 'one' };

t.test('takes a role apart, verb by verb', async (t) => {
  t.same(
    grantsIn(objects).map((grant) => `${grant.role}: ${said(grant)} ${grant.name}`),
    [
      `ClusterRole role: ${user} list pods `,
      `ClusterRole role: ${user} watch pods `,
      `Role a/role: ${user} get configmaps in a one`,
    ],
  );
});

t.test('names the grants that no request went by', async (t) => {
  const grants = grantsIn(objects);
  const verbs = (...uses: readonly Use[]): string[] => unusedOf(grants, uses).map(({ verb }) => verb);
  t.same(verbs(), ['list', 'watch', 'get']);
  t.same(verbs(use({}), use({ verb: 'watch' }), use(one)), []);
  t.same(
    verbs(use({}), use({ verb: 'watch' }), use({ ...one, status: 404 })),
    [],
    'what is not there was asked for',
  );
  for (const other of [
    { name: 'two' },
    { namespace: 'b' },
    { user: 'x' },
    { status: 403 },
    { group: 'apps' },
    { verb: 'list' },
  ])
    t.same(verbs(use({}), use({ verb: 'watch' }), use({ ...one, ...other })), ['get'], JSON.stringify(other));
});

t.test('names what was refused and never allowed', async (t) => {
  t.same(refusedOf([use({}), use({ status: 403 })]), []);
  t.same(refusedOf([use({ status: 403, namespace: 'b' }), use({ namespace: 'a' })]), [
    `${user} list pods in b`,
  ]);
});
