import t from 'tap';
import { azureAssignedIdentities } from '../../lib/kube/resources.ts';

const resource = azureAssignedIdentities('node-1');

/** As MIC writes it. */
const assigned = {
  metadata: { namespace: 'default', name: 'web-apps-demo', labels: { nodename: 'node-1' } },
  spec: {
    azureIdentityRef: {
      metadata: { namespace: 'apps', name: 'demo', resourceVersion: '7' },
      spec: { type: 0, clientID: 'client', resourceID: '/subscriptions/x' },
    },
    azureBindingRef: {
      metadata: { namespace: 'apps', name: 'demo-binding' },
      spec: { azureIdentity: 'demo', selector: 'web', weight: 3 },
    },
    pod: 'web',
    podNamespace: 'apps',
    nodename: 'node-1',
  },
  status: { status: 'Assigned', availableReplicas: 1 },
};
const withSpec = (spec: object) => ({ ...assigned, spec: { ...assigned.spec, ...spec } });
const withStatus = (status: unknown) => ({ ...assigned, status });
const withIdentity = (azureIdentityRef: unknown) => withSpec({ azureIdentityRef });

t.test('asks for those of its node by their label, or for all', async (t) => {
  t.match(resource, {
    name: 'azureassignedidentities',
    path: '/apis/aadpodidentity.k8s.io/v1/azureassignedidentities',
  });
  t.same(resource.query, { labelSelector: 'nodename=node-1' });
  t.equal(azureAssignedIdentities(undefined).query, undefined);
});

t.test('reads an AzureAssignedIdentity, with the identity and the binding that it holds', async (t) => {
  t.strictSame(resource.parse(assigned), {
    namespace: 'default',
    name: 'web-apps-demo',
    podNamespace: 'apps',
    pod: 'web',
    node: 'node-1',
    state: 'Assigned',
    identity: {
      namespace: 'apps',
      name: 'demo',
      type: 0,
      clientId: 'client',
      resourceId: '/subscriptions/x',
      namespaced: false,
      allowedNamespaces: undefined,
    },
    binding: { namespace: 'apps', name: 'demo-binding', weight: 3, selector: 'web' },
  });
});

t.test('reads every state, and takes none at all for the empty one', async (t) => {
  for (const status of ['', 'Created', 'Assigned', 'Unassigned'])
    t.equal(resource.parse(withStatus({ status }))?.state, status);
  for (const status of [undefined, null, {}, { status: null }])
    t.equal(resource.parse(withStatus(status))?.state, '', JSON.stringify(status));
});

t.test('drops one in a state that nobody knows: it is no reason for a token', async (t) => {
  for (const status of ['assigned', 'ASSIGNED', 'Assigned ', 'Failed', 'constructor', 7, true, {}])
    t.equal(resource.parse(withStatus({ status })), undefined, JSON.stringify(status));
  t.equal(resource.parse(withStatus('Assigned')), undefined);
});

t.test('reads the rules of the identity that it holds', async (t) => {
  const ref = {
    metadata: {
      ...assigned.spec.azureIdentityRef.metadata,
      annotations: { 'aadpodidentity.k8s.io/Behavior': 'namespaced' },
    },
    spec: { allowedNamespaces: ['apps'] },
  };
  const { identity } = resource.parse(withIdentity(ref)) ?? {};
  t.match(identity, { namespaced: true, allowedNamespaces: ['apps'], clientId: '', type: 0 });
});

t.test('drops one without an identity, or with one that cannot be read', async (t) => {
  const { metadata, spec } = assigned.spec.azureIdentityRef;
  const wrong = [
    undefined,
    null,
    'demo',
    [],
    {},
    { spec },
    { metadata: { name: 'demo' }, spec },
    { metadata: { namespace: 'apps' }, spec },
    { metadata: { ...metadata, name: 'demo\u001b[2J' }, spec },
    { metadata: { ...metadata, name: 'demo\nINFO request' }, spec },
    { metadata: { ...metadata, namespace: 'a'.repeat(254) }, spec },
    { metadata, spec: { clientID: 7 } },
    { metadata, spec: { allowedNamespaces: 'apps' } },
  ];
  for (const ref of wrong) t.equal(resource.parse(withIdentity(ref)), undefined, JSON.stringify(ref));
});

t.test('takes the names in a binding that is not there for empty', async (t) => {
  const none = { namespace: '', name: '', weight: 0, selector: '' };
  for (const azureBindingRef of [undefined, null, {}])
    t.same(resource.parse(withSpec({ azureBindingRef }))?.binding, none);
});

t.test('takes absent names of pod and node for empty', async (t) => {
  const { podNamespace, pod, node } =
    resource.parse(withSpec({ pod: null, podNamespace: undefined, nodename: null })) ?? {};
  t.same([podNamespace, pod, node], ['', '', '']);
});

t.test('drops one with a field of a wrong type, or without a name of its own', async (t) => {
  const wrong = [
    withSpec({ pod: 7 }),
    withSpec({ podNamespace: ['apps'] }),
    withSpec({ nodename: {} }),
    withSpec({ azureBindingRef: 'demo-binding' }),
    withSpec({ azureBindingRef: { metadata: { name: 7 } } }),
    withSpec({ azureBindingRef: { spec: [] } }),
    { ...assigned, spec: 'x' },
    { ...assigned, metadata: { name: 'x' } },
    { ...assigned, metadata: { namespace: 'x' } },
    null,
  ];
  for (const raw of wrong) t.equal(resource.parse(raw), undefined, JSON.stringify(raw)?.slice(0, 300));
});
