import t from 'tap';
import { useOf, userIn } from './uses.ts';

const ours = '/apis/aadpodidentity.k8s.io/v1';
const cases = [
  ['GET', '/api/v1/pods?limit=500', 'list', '', 'pods', '', ''],
  [
    'GET',
    `${ours}/azureidentities?watch=true&resourceVersion=7`,
    'watch',
    'aadpodidentity.k8s.io',
    'azureidentities',
    '',
    '',
  ],
  ['GET', '/api/v1/namespaces/default/pods/nmi-x', 'get', '', 'pods', 'default', 'nmi-x'],
  ['GET', '/api/v1/namespaces/default', 'get', '', 'namespaces', 'default', 'default'],
  ['GET', '/api/v1/nodes/node1', 'get', '', 'nodes', '', 'node1'],
  [
    'GET',
    '/apis/apps/v1/namespaces/a/daemonsets?fieldSelector=metadata.name%3Dnmi',
    'list',
    'apps',
    'daemonsets',
    'a',
    'nmi',
  ],
  [
    'GET',
    '/apis/apps/v1/namespaces/a/daemonsets?watch=true&fieldSelector=metadata.name%3Dnmi',
    'watch',
    'apps',
    'daemonsets',
    'a',
    'nmi',
  ],
  ['GET', '/api/v1/pods?fieldSelector=spec.nodeName%3Dnode1', 'list', '', 'pods', '', ''],
  ['POST', '/api/v1/namespaces/e2e/events', 'create', '', 'events', 'e2e', ''],
  [
    'PUT',
    '/apis/coordination.k8s.io/v1/namespaces/a/leases/b',
    'update',
    'coordination.k8s.io',
    'leases',
    'a',
    'b',
  ],
  ['PATCH', '/api/v1/namespaces/a/pods/b/status', 'patch', '', 'pods/status', 'a', 'b'],
  [
    'DELETE',
    `${ours}/namespaces/a/azureassignedidentities/b`,
    'delete',
    'aadpodidentity.k8s.io',
    'azureassignedidentities',
    'a',
    'b',
  ],
  ['DELETE', '/api/v1/namespaces/a/pods', 'deletecollection', '', 'pods', 'a', ''],
] as const;

t.test("reads a request as the API server's authorizer does", async (t) => {
  for (const [method, target, verb, group, resource, namespace, name] of cases) {
    const wanted = { user: 'u', verb, group, resource, namespace, name, status: 200 };
    t.same(useOf('u', method, target, 200), wanted, `${method} ${target}`);
  }
});

t.test('leaves out what is no resource', async (t) => {
  for (const target of ['/readyz', '/api', '/apis/apps/v1', '/version'])
    t.equal(useOf('u', 'GET', target, 200), undefined, target);
});

t.test('takes the user from the token, and nobody from anything else', async (t) => {
  const payload = Buffer.from(JSON.stringify({ sub: 'system:serviceaccount:a:b' })).toString('base64url');
  t.equal(userIn(`Bearer x.${payload}.y`), 'system:serviceaccount:a:b');
  for (const other of ['', 'Bearer x', 'Bearer x.!.y', 'Basic eDp5']) t.equal(userIn(other), '', other);
});
