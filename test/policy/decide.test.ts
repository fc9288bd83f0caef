import t from 'tap';
import { aBinding, anAssigned, anIdentity } from '../fakes/model.ts';
import { seeded, shuffled } from '../fakes/random.ts';
import { brief, byClient, byObject, byResource, decided, type World } from './worlds.ts';

const allowed = 'allow apps/demo by demo-binding';
const { clientId, resourceId } = anIdentity();
const objectId = 'ab1ec700-0000-4000-8000-00000000000b';
const told = { objectIds: { demo: objectId } };

const rows: Readonly<Record<string, readonly [World, string]>> = {
  'by its client id': [byClient(clientId), allowed],
  'by its client id in any letter case': [byClient(clientId.toUpperCase()), allowed],
  'by its resource id': [byResource(resourceId), allowed],
  'by its resource id in any letter case': [byResource(resourceId.toUpperCase()), allowed],
  'by its object id, once its tokens have told it': [{ ...byObject(objectId), ...told }, allowed],
  'by its object id in any letter case': [{ ...byObject(objectId.toUpperCase()), ...told }, allowed],
  'by an object id that its tokens told in upper case': [
    { ...byObject(objectId), objectIds: { demo: objectId.toUpperCase() } },
    allowed,
  ],
  'by a client id that its author wrote in upper case': [
    { ...byClient(clientId), identities: [anIdentity({ clientId: clientId.toUpperCase() })] },
    allowed,
  ],
  'not by an object id that nothing has told': [byObject(objectId), 'deny not-bound'],
  'not by the object id of another': [
    { ...byObject(objectId), objectIds: { other: objectId } },
    'deny not-bound',
  ],
  'not by another client id': [byClient('0000'), 'deny not-bound'],
  'not by a part of its client id': [byClient(clientId.slice(0, 8)), 'deny not-bound'],
  'not by a client id with a blank': [byClient(`${clientId} `), 'deny not-bound'],
  'not by its client id for a resource id': [byResource(clientId), 'deny not-bound'],
  'not by its resource id for a client id': [byClient(resourceId), 'deny not-bound'],
  'not by its client id for an object id': [{ ...byObject(clientId), ...told }, 'deny not-bound'],
  'not by its object id for a client id': [{ ...byClient(objectId), ...told }, 'deny not-bound'],
  'not by the name of its object': [byClient('demo'), 'deny not-bound'],
  'not by an empty resource id, when it has none': [
    { ...byResource(''), identities: [anIdentity({ resourceId: '' })] },
    'deny not-bound',
  ],
  'not by an empty object id, when none was told': [byObject(''), 'deny not-bound'],
  'not when it is a managed identity without a client id': [
    { identities: [anIdentity({ clientId: '' })] },
    'deny no-client-id',
  ],
  'not by the resource id of a managed identity without a client id': [
    { ...byResource(resourceId), identities: [anIdentity({ clientId: '' })] },
    'deny no-client-id',
  ],
};

for (const [how, [world, expected]] of Object.entries(rows)) {
  t.test(`gives an identity: ${how}`, async (t) => {
    t.equal(brief(world), expected);
    const { identities = [anIdentity()] } = world;
    const assigned = identities.map((identity) => anAssigned({ identity }));
    t.equal(brief({ ...world, mode: 'standard', assigned }), expected, 'and so in standard mode');
  });
}

t.test('tells which identity has no client id', async (t) => {
  const decision = decided({ identities: [anIdentity({ clientId: '' })] });
  t.match(decision, { kind: 'deny', why: { identity: { namespace: 'apps', name: 'demo' } } });
});

const names = ['light', 'zoe', 'adam', 'aaron'];
const several: World = {
  bindings: [
    aBinding({ name: 'b-light', azureIdentity: 'light', weight: -1 }),
    aBinding({ name: 'b-zoe', azureIdentity: 'zoe', weight: 5 }),
    aBinding({ name: 'b-adam-2', azureIdentity: 'adam', weight: 5 }),
    aBinding({ name: 'b-adam-1', azureIdentity: 'adam', weight: 5 }),
    aBinding({ name: 'a-plain', azureIdentity: 'aaron' }),
  ],
  identities: names.map((name) => anIdentity({ name, clientId: `id-of-${name}` })),
};

t.test('chooses by weight, then by the name of the identity, then of the binding', async (t) => {
  const without = (...gone: readonly string[]): World => ({
    ...several,
    bindings: (several.bindings ?? []).filter(({ azureIdentity }) => !gone.includes(azureIdentity)),
  });
  t.equal(brief(several), 'allow apps/adam by b-adam-1');
  t.equal(brief(without('adam')), 'allow apps/zoe by b-zoe');
  t.equal(brief(without('adam', 'zoe')), 'allow apps/aaron by a-plain');
  t.equal(brief(without('adam', 'zoe', 'aaron')), 'allow apps/light by b-light');
});

t.test('chooses by namespace before name, in standard mode', async (t) => {
  const assigned = ['z/a', 'a/z', 'a/y'].map((key) => {
    const [namespace = '', name = ''] = key.split('/');
    const binding = { namespace, name: 'b', weight: 0, selector: '' };
    return anAssigned({
      namespace: 'default',
      name: key,
      identity: anIdentity({ namespace, name }),
      binding,
    });
  });
  t.equal(brief({ mode: 'standard', bindings: [], assigned }), 'allow a/y by b');
});

t.test('weighs only what the request names', async (t) => {
  t.equal(brief({ ...several, ...byClient('ID-of-light') }), 'allow apps/light by b-light');
});

t.test('decides the same, to the last field, in whatever order the objects came (seeded)', async (t) => {
  const random = seeded(11);
  const assigned = names.map((name) =>
    anAssigned({
      name: `web-${name}`,
      identity: anIdentity({ name, clientId: name, ...(name < 'b' && { allowedNamespaces: [] }) }),
      binding: { namespace: 'apps', name: `b-${name}`, weight: 0, selector: '' },
    }),
  );
  const created = assigned.map((one) => ({ ...one, state: 'Created' as const }));
  const worlds: readonly World[] = [
    several,
    { ...several, ...byClient('id-of-zoe') },
    { ...several, identities: [] },
    { mode: 'standard', bindings: [], assigned },
    { mode: 'standard', bindings: [], assigned: created },
    { mode: 'standard', bindings: several.bindings ?? [], assigned: [] },
    { mode: 'standard', bindings: [], assigned: assigned.slice(2) },
    { mode: 'standard', bindings: [], assigned: created.slice(2) },
  ];
  for (const world of worlds) {
    const expected = decided(world);
    for (let i = 0; i < 50; i++) {
      const { bindings = [], identities = [], assigned = [] } = world;
      const mixed = {
        bindings: shuffled(bindings, random),
        identities: shuffled(identities, random),
        assigned: shuffled(assigned, random),
      };
      t.strictSame(decided({ ...world, ...mixed }), expected);
    }
  }
});
