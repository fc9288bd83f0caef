import t from 'tap';
import {
  azureIdentities,
  azureIdentityBindings,
  azurePodIdentityExceptions,
} from '../../lib/kube/resources.ts';

const metadata = { namespace: 'ns', name: 'it' };

t.test('reads an AzureIdentity', async (t) => {
  const spec = { type: 1, clientID: 'client', resourceID: '/subscriptions/x', tenantID: 'ignored' };
  t.same(azureIdentities.parse({ metadata, spec }), {
    namespace: 'ns',
    name: 'it',
    type: 1,
    clientId: 'client',
    resourceId: '/subscriptions/x',
  });
});

t.test('takes an absent or null field of an AzureIdentity for empty, and an absent type for 0', async (t) => {
  const empty = { namespace: 'ns', name: 'it', type: 0, clientId: '', resourceId: '' };
  t.same(azureIdentities.parse({ metadata }), empty);
  t.same(azureIdentities.parse({ metadata, spec: null }), empty);
  t.same(azureIdentities.parse({ metadata, spec: { type: null, clientID: null } }), empty);
});

t.test('takes a type that is not a whole number for one that nothing supports', async (t) => {
  for (const type of ['0', 0.5, Number.NaN, {}, [], true, 1e300]) {
    t.equal(azureIdentities.parse({ metadata, spec: { type } })?.type, -1, String(type));
  }
  t.equal(azureIdentities.parse({ metadata, spec: { type: 7 } })?.type, 7);
});

t.test('reads an AzureIdentityBinding, with weight 0 where it is no number', async (t) => {
  const binding = { namespace: 'ns', name: 'it', azureIdentity: 'id', selector: 'web', weight: 3 };
  const spec = { azureIdentity: 'id', selector: 'web' };
  t.same(azureIdentityBindings.parse({ metadata, spec: { ...spec, weight: 3 } }), binding);
  for (const weight of [undefined, null, '3', {}, Number.NaN, Number.POSITIVE_INFINITY]) {
    t.equal(azureIdentityBindings.parse({ metadata, spec: { ...spec, weight } })?.weight, 0, String(weight));
  }
});

t.test('reads an AzurePodIdentityException', async (t) => {
  const parsed = azurePodIdentityExceptions.parse({ metadata, spec: { podLabels: { app: 'mic' } } });
  t.match(parsed, { namespace: 'ns', name: 'it' });
  t.same({ ...parsed?.podLabels }, { app: 'mic' });
  t.same({ ...azurePodIdentityExceptions.parse({ metadata })?.podLabels }, {});
});

t.test('drops an object with a field of a wrong type', async (t) => {
  const wrong = [
    azureIdentities.parse({ metadata, spec: { clientID: 7 } }),
    azureIdentities.parse({ metadata, spec: [] }),
    azureIdentityBindings.parse({ metadata, spec: { selector: ['web'] } }),
    azurePodIdentityExceptions.parse({ metadata, spec: { podLabels: ['app'] } }),
    azurePodIdentityExceptions.parse({ metadata, spec: { podLabels: { app: 1 } } }),
  ];
  t.same(wrong, [undefined, undefined, undefined, undefined, undefined]);
});

t.test('drops what has no name or no namespace', async (t) => {
  for (const raw of [
    null,
    'x',
    7,
    [],
    {},
    { metadata: [] },
    { metadata: { name: 'it' } },
    { metadata: { namespace: 'ns' } },
  ]) {
    t.equal(azureIdentities.parse(raw), undefined, JSON.stringify(raw));
  }
});

t.test('keeps label keys that are names of Object’s own as mere keys', async (t) => {
  const podLabels = JSON.parse('{"__proto__":"polluted","constructor":"mine"}');
  const labels = azurePodIdentityExceptions.parse({ metadata, spec: { podLabels } })?.podLabels ?? {};
  t.same(Object.keys(labels), ['__proto__', 'constructor']);
  t.equal(labels.toString, undefined);
  t.equal(Object.getPrototypeOf(labels), null);
  t.equal(({} as Record<string, unknown>).polluted, undefined);
});
