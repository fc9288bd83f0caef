import t from 'tap';
import {
  azureIdentities,
  azureIdentityBindings,
  azurePodIdentityExceptions,
} from '../../lib/kube/resources.ts';

const metadata = { namespace: 'ns', name: 'it' };
const annotated = (annotations: unknown) => ({ metadata: { ...metadata, annotations } });
const group = '/apis/aadpodidentity.k8s.io/v1';

t.test('asks for the objects of all namespaces', async (t) => {
  t.match(azureIdentities, { name: 'azureidentities', path: `${group}/azureidentities`, query: undefined });
  t.match(azureIdentityBindings, { path: `${group}/azureidentitybindings`, query: undefined });
  t.match(azurePodIdentityExceptions, { path: `${group}/azurepodidentityexceptions`, query: undefined });
});

t.test('reads an AzureIdentity', async (t) => {
  const spec = { type: 0, clientID: 'client', resourceID: '/subscriptions/x', allowedNamespaces: ['a', 'b'] };
  t.strictSame(azureIdentities.parse({ metadata, spec: { ...spec, tenantID: 'ignored' } }), {
    namespace: 'ns',
    name: 'it',
    type: 0,
    clientId: 'client',
    resourceId: '/subscriptions/x',
    namespaced: false,
    allowedNamespaces: ['a', 'b'],
  });
});

t.test(
  'reads the service principal of types 1 and 2, its Secret in its own namespace unless said',
  async (t) => {
    const spec = {
      clientID: 'client',
      tenantID: 'tenant',
      adEndpoint: 'https://login.example/',
      adResourceID: 'ignored, as in the original',
      auxiliaryTenantIDs: ['a', 'b'],
      clientPassword: { name: 'sp', namespace: 'vault' },
    };
    const principal = (fields: object): unknown =>
      azureIdentities.parse({ metadata, spec: { ...spec, type: 1, ...fields } })?.servicePrincipal;
    const whole = {
      tenantId: 'tenant',
      adEndpoint: 'https://login.example/',
      auxiliaryTenantIds: ['a', 'b'],
      secret: { namespace: 'vault', name: 'sp' },
    };
    t.strictSame(principal({}), whole);
    t.strictSame(principal({ type: 2 }), whole);
    t.match(principal({ clientPassword: { name: 'sp' } }), { secret: { namespace: 'ns', name: 'sp' } });
    const fields = { tenantID: null, adEndpoint: null, auxiliaryTenantIDs: null, clientPassword: null };
    t.strictSame(principal(fields), {
      ...{ tenantId: '', adEndpoint: '', auxiliaryTenantIds: [] },
      secret: { namespace: 'ns', name: '' },
    });
    t.notOk('servicePrincipal' in (azureIdentities.parse({ metadata, spec: { ...spec, type: 0 } }) ?? {}));
    for (const wrong of [{ tenantID: 1 }, { clientPassword: 'sp' }, { auxiliaryTenantIDs: 'a' }])
      t.equal(azureIdentities.parse({ metadata, spec: { ...spec, type: 1, ...wrong } }), undefined);
  },
);

t.test('takes an absent or null field of an AzureIdentity for empty, and an absent type for 0', async (t) => {
  const empty = { type: 0, clientId: '', resourceId: '', namespaced: false, allowedNamespaces: undefined };
  const specs = [
    undefined,
    null,
    {},
    { type: null, clientID: null, resourceID: null, allowedNamespaces: null },
  ];
  for (const spec of specs)
    t.strictSame(azureIdentities.parse({ metadata, spec }), { ...metadata, ...empty }, JSON.stringify(spec));
});

t.test('takes an empty list of namespaces for none, not for all', async (t) => {
  t.same(azureIdentities.parse({ metadata, spec: { allowedNamespaces: [] } })?.allowedNamespaces, []);
});

t.test('takes a type that is not a whole number for one that nothing supports', async (t) => {
  for (const type of ['0', 0.5, Number.NaN, {}, [], true, 1e300]) {
    t.equal(azureIdentities.parse({ metadata, spec: { type } })?.type, -1, String(type));
  }
  t.equal(azureIdentities.parse({ metadata, spec: { type: 7 } })?.type, 7);
});

t.test('takes the annotation Behavior by the letter, key and value', async (t) => {
  const key = 'aadpodidentity.k8s.io/Behavior';
  const isNamespaced = (annotations: unknown): boolean | undefined =>
    azureIdentities.parse(annotated(annotations))?.namespaced;
  t.equal(isNamespaced({ [key]: 'namespaced', other: 'x' }), true);
  for (const value of ['Namespaced', 'namespaced ', 'true', ''])
    t.equal(isNamespaced({ [key]: value }), false, value);
  for (const other of ['aadpodidentity.k8s.io/behavior', 'Behavior', 'aadpodidentity.k8s.io'])
    t.equal(isNamespaced({ [other]: 'namespaced' }), false, other);
  for (const annotations of [undefined, null, {}]) t.equal(isNamespaced(annotations), false);
});

t.test('reads an AzureIdentityBinding, with weight 0 where it is no number', async (t) => {
  const spec = { azureIdentity: 'id', selector: 'web' };
  t.strictSame(azureIdentityBindings.parse({ metadata, spec: { ...spec, weight: 3 } }), {
    ...metadata,
    ...spec,
    podSelector: undefined,
    weight: 3,
  });
  for (const weight of [undefined, null, '3', {}, Number.NaN, Number.POSITIVE_INFINITY]) {
    t.equal(azureIdentityBindings.parse({ metadata, spec: { ...spec, weight } })?.weight, 0, String(weight));
  }
});

const podSelectorOf = (podSelector: unknown) =>
  azureIdentityBindings.parse({ metadata, spec: { podSelector } });

t.test("reads a binding's podSelector", async (t) => {
  const matchExpressions = [
    { key: 'tier', operator: 'In', values: ['front', ''] },
    { key: 'tier', operator: 'NotIn', values: ['back'] },
    { key: 'app', operator: 'Exists' },
    { key: 'gpu', operator: 'DoesNotExist', values: [] },
  ];
  const { podSelector } = podSelectorOf({ matchLabels: { app: 'web' }, matchExpressions }) ?? {};
  t.same({ ...podSelector?.matchLabels }, { app: 'web' });
  t.same(
    podSelector?.matchExpressions,
    matchExpressions.map((each) => ({ values: [], ...each })),
  );
  for (const empty of [{}, { matchLabels: null, matchExpressions: null }, { matchLabels: {} }])
    t.same(
      podSelectorOf(empty)?.podSelector,
      { matchLabels: {}, matchExpressions: [] },
      'selects everything',
    );
  for (const absent of [undefined, null]) t.strictSame(podSelectorOf(absent)?.podSelector, undefined);
});

t.test('drops a binding whose podSelector is not one, rather than guess what it selects', async (t) => {
  const one = (requirement: unknown): unknown => ({ matchExpressions: [requirement] });
  const wrong = [
    'app=web',
    [],
    true,
    { matchLabels: ['web'] },
    { matchLabels: { app: 1 } },
    { matchExpressions: {} },
    { matchExpressions: ['app'] },
    one({}),
    one({ key: 'app', operator: 'in', values: ['web'] }),
    one({ key: 'app', operator: 'Equals', values: ['web'] }),
    one({ key: 'app', operator: 'constructor', values: ['web'] }),
    one({ key: 'app', values: ['web'] }),
    one({ key: '', operator: 'Exists' }),
    one({ operator: 'Exists' }),
    one({ key: 7, operator: 'Exists' }),
    one({ key: 'app', operator: 'In' }),
    one({ key: 'app', operator: 'In', values: [] }),
    one({ key: 'app', operator: 'NotIn', values: null }),
    one({ key: 'app', operator: 'In', values: 'web' }),
    one({ key: 'app', operator: 'In', values: [1] }),
    one({ key: 'app', operator: 'Exists', values: ['web'] }),
    one({ key: 'app', operator: 'DoesNotExist', values: ['web'] }),
  ];
  for (const podSelector of wrong)
    t.strictSame(podSelectorOf(podSelector), undefined, JSON.stringify(podSelector));
});

t.test('reads an AzurePodIdentityException', async (t) => {
  const parsed = azurePodIdentityExceptions.parse({ metadata, spec: { podLabels: { app: 'mic' } } });
  t.match(parsed, { namespace: 'ns', name: 'it', matchAll: false });
  t.same({ ...parsed?.podLabels }, { app: 'mic' });
  t.same({ ...azurePodIdentityExceptions.parse({ metadata })?.podLabels }, {});
});

t.test('takes the annotation match by the letter, key and value', async (t) => {
  const matchAll = (annotations: unknown): boolean | undefined =>
    azurePodIdentityExceptions.parse(annotated(annotations))?.matchAll;
  t.equal(matchAll({ 'aadpodidentity.k8s.io/match': 'all' }), true);
  for (const value of ['All', 'any', 'all ', '', 'true'])
    t.equal(matchAll({ 'aadpodidentity.k8s.io/match': value }), false, value);
  t.equal(matchAll({ 'aadpodidentity.k8s.io/Match': 'all' }), false);
});

t.test('drops an object with a field of a wrong type', async (t) => {
  const wrong = [
    azureIdentities.parse({ metadata, spec: { clientID: 7 } }),
    azureIdentities.parse({ metadata, spec: [] }),
    azureIdentities.parse({ metadata, spec: { allowedNamespaces: 'apps' } }),
    azureIdentities.parse({ metadata, spec: { allowedNamespaces: ['apps', 7] } }),
    azureIdentities.parse({ metadata, spec: { allowedNamespaces: { 0: 'apps' } } }),
    azureIdentities.parse(annotated(['x'])),
    azureIdentities.parse(annotated({ x: 1 })),
    azureIdentityBindings.parse({ metadata, spec: { selector: ['web'] } }),
    azurePodIdentityExceptions.parse({ metadata, spec: { podLabels: ['app'] } }),
    azurePodIdentityExceptions.parse({ metadata, spec: { podLabels: { app: 1 } } }),
  ];
  t.strictSame(wrong, Array(wrong.length).fill(undefined));
});

t.test('drops what has no name or no namespace', async (t) => {
  const nameless = [{}, { metadata: [] }, { metadata: { name: 'it' } }, { metadata: { namespace: 'ns' } }];
  for (const raw of [null, 'x', 7, [], ...nameless])
    t.equal(azureIdentities.parse(raw), undefined, JSON.stringify(raw));
});

t.test('keeps label keys that are names of Object’s own as mere keys', async (t) => {
  const podLabels = JSON.parse('{"__proto__":"polluted","constructor":"mine"}');
  const labels = azurePodIdentityExceptions.parse({ metadata, spec: { podLabels } })?.podLabels ?? {};
  t.same(Object.keys(labels), ['__proto__', 'constructor']);
  t.equal(labels.toString, undefined);
  t.equal(Object.getPrototypeOf(labels), null);
  t.equal(({} as Record<string, unknown>).polluted, undefined);
});
