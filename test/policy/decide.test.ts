import t from 'tap';
import type { AzureIdentityBinding } from '../../lib/model/binding.ts';
import type { Decision, IdentitySelector } from '../../lib/model/decision.ts';
import type { AzurePodIdentityException } from '../../lib/model/exception.ts';
import type { AzureIdentity } from '../../lib/model/identity.ts';
import type { Pod } from '../../lib/model/pod.ts';
import { Bindings, Identities } from '../../lib/policy/books.ts';
import { decide } from '../../lib/policy/decide.ts';
import { Exceptions } from '../../lib/policy/exceptions.ts';
import { aBinding, anException, anIdentity, aPod } from '../fakes/model.ts';
import { seeded, shuffled } from '../fakes/random.ts';

interface World {
  readonly pod?: Pod;
  readonly bindings?: readonly AzureIdentityBinding[];
  readonly identities?: readonly AzureIdentity[];
  readonly exceptions?: readonly AzurePodIdentityException[];
  readonly selector?: IdentitySelector;
}

/** Of a pod that is bound to one identity, unless `world` says otherwise. */
function decided(world: World = {}): Decision {
  const {
    pod = aPod(),
    bindings = [aBinding()],
    identities = [anIdentity()],
    exceptions = [],
    selector,
  } = world;
  const books = { bindings: new Bindings(), identities: new Identities(), exceptions: new Exceptions() };
  books.bindings.replace(bindings);
  books.identities.replace(identities);
  books.exceptions.replace(exceptions);
  return decide(pod, { resource: 'https://vault.azure.net', ...(selector && { selector }) }, books);
}

/** `namespace/name` of the identity and the binding's name, the exception, or the reason's code. */
function brief(world: World = {}): string {
  const decision = decided(world);
  if (decision.kind === 'allow')
    return `${decision.identity.namespace}/${decision.identity.name} by ${decision.binding}`;
  return decision.kind === 'pass' ? `pass by ${decision.exception}` : decision.why.code;
}

const allowed = 'apps/demo by demo-binding';
const { clientId, resourceId } = anIdentity();
const byClient = (value: string): World => ({ selector: { by: 'client_id', value } });
const byResource = (value: string): World => ({ selector: { by: 'resource_id', value } });

const rows: Readonly<Record<string, readonly [World, string]>> = {
  'gives a bound pod its identity': [{}, allowed],
  'denies a pod without the label': [{ pod: aPod({ labels: { app: 'web' } }) }, 'no-label'],
  'denies a pod whose label is empty': [{ pod: aPod({ labels: { aadpodidbinding: '' } }) }, 'no-label'],
  'lets a binding without a selector select nothing': [
    { bindings: [aBinding({ selector: '' })] },
    'no-binding',
  ],
  'lets a binding without a selector not select the pods without the label': [
    { pod: aPod({ labels: {} }), bindings: [aBinding({ selector: '' })] },
    'no-label',
  ],
  'denies a pod that no binding selects': [{ bindings: [] }, 'no-binding'],
  'takes a selector by the letter': [{ bindings: [aBinding({ selector: 'Web' })] }, 'no-binding'],
  'never uses the binding of another namespace': [
    { bindings: [aBinding({ namespace: 'other' })] },
    'no-binding',
  ],
  'never uses the identity of another namespace': [
    { identities: [anIdentity({ namespace: 'other' })] },
    'no-identity',
  ],
  'never follows a binding out of its namespace': [
    {
      bindings: [aBinding({ azureIdentity: '../other/demo' })],
      identities: [anIdentity({ namespace: 'other' })],
    },
    'no-identity',
  ],
  'denies a pod whose identity does not exist': [{ identities: [] }, 'no-identity'],
  'takes the name of an identity by the letter': [
    { identities: [anIdentity({ name: 'Demo' })] },
    'no-identity',
  ],
  'gives an identity by its client id': [byClient(clientId), allowed],
  'gives an identity by its client id in any letter case': [byClient(clientId.toUpperCase()), allowed],
  'gives an identity by its resource id': [byResource(resourceId), allowed],
  'gives an identity by its resource id in any letter case': [byResource(resourceId.toUpperCase()), allowed],
  'finds an identity whose own ids are in upper case': [
    { ...byClient(clientId), identities: [anIdentity({ clientId: clientId.toUpperCase() })] },
    allowed,
  ],
  'denies a client id that the pod is not bound to': [byClient('0000'), 'not-bound'],
  'denies a part of a client id': [byClient(clientId.slice(0, 8)), 'not-bound'],
  'does not take a client id for a resource id': [byResource(clientId), 'not-bound'],
  'does not take a client id for an object id': [
    { selector: { by: 'object_id', value: clientId } },
    'not-bound',
  ],
  'does not take a resource id for an object id': [
    { selector: { by: 'object_id', value: resourceId } },
    'not-bound',
  ],
  'denies an identity of the namespace that the pod is not bound to': [
    { ...byClient('feed'), identities: [anIdentity(), anIdentity({ name: 'rich', clientId: 'feed' })] },
    'not-bound',
  ],
  'misses the identity, not the id, when none of the bindings leads to one': [
    { ...byClient(clientId), identities: [] },
    'no-identity',
  ],
  'lets the empty id name nothing': [
    { ...byResource(''), identities: [anIdentity({ resourceId: '' })] },
    'not-bound',
  ],
  'never gives a managed identity without a client id': [
    { identities: [anIdentity({ clientId: '' })] },
    'no-client-id',
  ],
  'never gives a managed identity without a client id by its resource id': [
    { ...byResource(resourceId), identities: [anIdentity({ clientId: '' })] },
    'no-client-id',
  ],
  'goes on when one of two bindings leads nowhere': [
    { bindings: [aBinding({ name: 'broken', azureIdentity: 'gone', weight: 9 }), aBinding()] },
    allowed,
  ],
  'lets an excepted pod pass': [
    { pod: aPod({ labels: { app: 'agent' } }), exceptions: [anException()] },
    'pass by apps/agents',
  ],
  'lets an exception win over a binding': [
    { pod: aPod({ labels: { app: 'agent', aadpodidbinding: 'web' } }), exceptions: [anException()] },
    'pass by apps/agents',
  ],
};

for (const [promise, [world, expected]] of Object.entries(rows)) {
  t.test(promise, async (t) => {
    t.equal(brief(world), expected);
  });
}

t.test('carries what a sentence about the cure needs', async (t) => {
  const why = (world: World): unknown => {
    const decision = decided(world);
    return decision.kind === 'deny' && decision.why;
  };
  t.strictSame(why({ bindings: [] }), { code: 'no-binding', label: 'web' });
  t.match(why({ identities: [] }), {
    code: 'no-identity',
    bindings: [{ name: 'demo-binding', azureIdentity: 'demo' }],
  });
  t.strictSame(why(byClient('feed')), { code: 'not-bound', selector: { by: 'client_id', value: 'feed' } });
  t.strictSame(why({ identities: [anIdentity({ clientId: '' })] }), {
    code: 'no-client-id',
    identity: 'demo',
  });
});

const several: World = {
  bindings: [
    aBinding({ name: 'b-light', azureIdentity: 'light', weight: -1 }),
    aBinding({ name: 'b-zoe', azureIdentity: 'zoe', weight: 5 }),
    aBinding({ name: 'b-adam-2', azureIdentity: 'adam', weight: 5 }),
    aBinding({ name: 'b-adam-1', azureIdentity: 'adam', weight: 5 }),
    aBinding({ name: 'a-plain', azureIdentity: 'aaron' }),
  ],
  identities: ['light', 'zoe', 'adam', 'aaron'].map((name) =>
    anIdentity({ name, clientId: `id-of-${name}` }),
  ),
};

t.test('chooses by weight, then by the name of the identity, then of the binding', async (t) => {
  t.equal(brief(several), 'apps/adam by b-adam-1');
  const without = (...names: readonly string[]): World => ({
    ...several,
    bindings: (several.bindings ?? []).filter(({ azureIdentity }) => !names.includes(azureIdentity)),
  });
  t.equal(brief(without('adam')), 'apps/zoe by b-zoe');
  t.equal(brief(without('adam', 'zoe')), 'apps/aaron by a-plain');
  t.equal(brief(without('adam', 'zoe', 'aaron')), 'apps/light by b-light');
});

t.test('weighs only what the request names', async (t) => {
  t.equal(brief({ ...several, ...byClient('ID-of-light') }), 'apps/light by b-light');
});

t.test('decides the same, to the last field, in whatever order the objects came (seeded)', async (t) => {
  const random = seeded(11);
  const worlds: readonly World[] = [
    several,
    { ...several, ...byClient('id-of-zoe') },
    { ...several, identities: [] },
    {
      pod: aPod({ labels: { app: 'agent', tier: 'x' } }),
      exceptions: ['c', 'a', 'b'].map((name) =>
        anException({ name, podLabels: { app: 'agent', tier: 'x' } }),
      ),
    },
  ];
  for (const world of worlds) {
    const expected = decided(world);
    for (let i = 0; i < 50; i++) {
      const { bindings = [], identities = [], exceptions = [] } = world;
      const mixed = {
        ...world,
        bindings: shuffled(bindings, random),
        identities: shuffled(identities, random),
        exceptions: shuffled(exceptions, random),
      };
      t.strictSame(decided(mixed), expected);
    }
  }
});
