import t from 'tap';
import { bindingContent, identityContent } from '../../lib/model/content.ts';

const spec = { type: 0, resourceID: '/r', clientID: 'c' };

t.test('two copies that mean the same are equal, however they are written', async (t) => {
  const same = [
    { clientID: 'c', resourceID: '/r' },
    {
      ...spec,
      clientPassword: {},
      tenantID: '',
      auxiliaryTenantIDs: null,
      adEndpoint: '',
      replicas: null,
      metadata: {},
    },
    { ...spec, auxiliaryTenantIDs: [], clientPassword: { name: '', namespace: '' } },
  ];
  for (const each of same) t.equal(identityContent(each, false), identityContent(spec, false));
  t.equal(bindingContent({ azureIdentity: 'a', weight: 0 }), bindingContent({ azureIdentity: 'a' }));
  t.equal(identityContent(undefined, false), identityContent({}, false));
});

t.test('two that mean something else are not', async (t) => {
  const others = [
    { ...spec, type: 1 },
    { ...spec, clientID: 'C' },
    { ...spec, tenantID: 't' },
    { ...spec, clientPassword: { name: 's', namespace: 'n' } },
    { ...spec, auxiliaryTenantIDs: ['a', 'b'] },
    { ...spec, auxiliaryTenantIDs: ['b', 'a'] },
    { ...spec, allowedNamespaces: [] },
    { ...spec, allowedNamespaces: [''] },
    { ...spec, clientID: 'c","x":"y' },
  ].map((each) => identityContent(each, false));
  others.push(identityContent(spec, false), identityContent(spec, true));
  t.equal(new Set(others).size, others.length);
  const bindings = [{}, { podSelector: {} }, { podSelector: { matchLabels: { a: 'b' } } }, { weight: 1 }];
  t.equal(
    new Set(bindings.map(bindingContent)).size,
    bindings.length,
    'an empty podSelector selects every pod',
  );
});
