import t from 'tap';
import { aBinding, anAssigned, anIdentity, aPod } from '../fakes/model.ts';
import { brief, byClient, decided, type World } from './worlds.ts';

const allowed = 'allow apps/demo by demo-binding';
const { clientId } = anIdentity();
const unlabelled = aPod({ labels: {} });
const created = anAssigned({ state: 'Created' });
const theirs = anIdentity({ namespace: 'shared' });
const shared = { namespace: 'shared', name: 'demo-binding', weight: 0, selector: 'web' };
/** Identity and binding of another namespace, as the original allows them. */
const across: World = {
  bindings: [aBinding({ namespace: 'shared' })],
  assigned: [anAssigned({ namespace: 'default', identity: theirs, binding: shared })],
};
const acrossIs = (fields: Partial<typeof theirs>, state: 'Created' | 'Assigned' = 'Assigned'): World => ({
  ...across,
  assigned: [
    anAssigned({ namespace: 'default', state, identity: { ...theirs, ...fields }, binding: shared }),
  ],
});

const rows: Readonly<Record<string, readonly [World, string]>> = {
  'takes no assignment from where MIC does not write': [
    { bindings: [], assigned: [anAssigned({ namespace: 'evil' })] },
    'wait binding-missing',
  ],
  'takes an assignment of the pod and the identity in their own namespace, not one that names an identity of others':
    [
      { bindings: [], assigned: [anAssigned({ namespace: 'apps', identity: theirs })] },
      'wait binding-missing',
    ],
  'gives nothing by an assignment that was made for a pod of that name with another label': [
    { pod: aPod({ labels: {} }), bindings: [] },
    'deny no-label',
  ],
  'gives an identity that is assigned': [{}, allowed],
  'takes the empty state, which old MICs left, for assigned': [
    { assigned: [anAssigned({ state: '' })] },
    allowed,
  ],
  'waits for an identity that Azure is not done with': [{ assigned: [created] }, 'wait not-assigned'],
  'waits for the assignment where the old one is being taken away': [
    { assigned: [anAssigned({ state: 'Unassigned' })] },
    'wait assignment-missing',
  ],
  'gives nothing that is being taken away': [
    { pod: unlabelled, bindings: [], assigned: [anAssigned({ state: 'Unassigned' })] },
    'deny no-label',
  ],
  'waits for an assignment that MIC has not made': [{ assigned: [] }, 'wait assignment-missing'],
  'waits for a binding with the selector that the pod carries': [
    { bindings: [], assigned: [] },
    'wait binding-missing',
  ],
  'denies a pod without the label at once': [
    { pod: unlabelled, bindings: [], assigned: [] },
    'deny no-label',
  ],
  'denies a pod with an empty label at once': [
    { pod: aPod({ labels: { aadpodidbinding: '' } }), bindings: [aBinding({ selector: '' })], assigned: [] },
    'deny no-label',
  ],
  'waits for a pod without the label that a podSelector selects': [
    {
      pod: unlabelled,
      bindings: [aBinding({ selector: '', podSelector: { matchLabels: {}, matchExpressions: [] } })],
      assigned: [],
    },
    'wait assignment-missing',
  ],
  'gives what MIC says, whether or not we see the binding': [{ bindings: [] }, allowed],
  "leaves out another pod's assignment": [
    { assigned: [anAssigned({ pod: 'web-2' })] },
    'wait assignment-missing',
  ],
  'leaves out the assignment of a pod of that name in another namespace': [
    { assigned: [anAssigned({ podNamespace: 'other' })] },
    'wait assignment-missing',
  ],
  "leaves out another node's assignment for a pod of that name": [
    { assigned: [anAssigned({ node: 'node2' })] },
    'wait assignment-missing',
  ],
  'takes an assignment that names no node': [{ assigned: [anAssigned({ node: '' })] }, allowed],
  'gives what is assigned while another is on its way': [
    {
      bindings: [aBinding(), aBinding({ name: 'next', azureIdentity: 'next', weight: 9 })],
      assigned: [
        anAssigned(),
        anAssigned({
          name: 'n',
          state: 'Created',
          identity: anIdentity({ name: 'next', clientId: 'next' }),
          binding: { namespace: 'apps', name: 'next', weight: 9, selector: '' },
        }),
      ],
    },
    allowed,
  ],
  'waits for the one that is asked for, though another is assigned': [
    {
      ...byClient('next'),
      assigned: [
        anAssigned(),
        anAssigned({
          name: 'n',
          state: 'Created',
          identity: anIdentity({ name: 'next', clientId: 'NEXT' }),
        }),
      ],
    },
    'wait not-assigned',
  ],
  'denies a foreign id at once while one that is known to be another is on its way': [
    { ...byClient('feed'), assigned: [created] },
    'deny not-bound',
  ],
  'waits for a foreign id while one that nobody knows yet is on its way': [
    { ...byClient('feed'), bindings: [aBinding(), aBinding({ name: 'second' })] },
    'wait assignment-missing',
  ],
  'denies a foreign id at once where all is assigned': [byClient('feed'), 'deny not-bound'],
  'denies a foreign id at once without a binding in sight, where there is an assignment': [
    { ...byClient('feed'), bindings: [] },
    'deny not-bound',
  ],
  'gives an identity of another namespace': [across, 'allow shared/demo by demo-binding'],
  'keeps to the namespace of the pod where the agent runs namespaced': [
    { ...across, namespaced: true },
    'deny other-namespace',
  ],
  'does not wait for a binding of another namespace where the agent runs namespaced': [
    { ...across, assigned: [], namespaced: true },
    'wait binding-missing',
  ],
  'gives an identity of its own namespace where the agent runs namespaced': [{ namespaced: true }, allowed],
  'keeps an identity with the annotation to its namespace': [
    acrossIs({ namespaced: true }),
    'deny other-namespace',
  ],
  'keeps an identity to the namespaces that it allows': [
    acrossIs({ allowedNamespaces: ['shared'] }),
    'deny other-namespace',
  ],
  'gives an identity to a namespace that it allows': [
    acrossIs({ allowedNamespaces: ['apps'] }),
    'allow shared/demo by demo-binding',
  ],
  'lets allowedNamespaces not widen what the annotation narrows': [
    acrossIs({ allowedNamespaces: ['apps'], namespaced: true }),
    'deny other-namespace',
  ],
  'does not wait for an identity that no rule would give': [
    acrossIs({ allowedNamespaces: ['shared'] }, 'Created'),
    'deny other-namespace',
  ],
  'waits for an identity of another namespace that the rules give': [
    acrossIs({}, 'Created'),
    'wait not-assigned',
  ],
  'gives the one that it may where a heavier one is kept from it': [
    {
      bindings: [],
      assigned: [
        anAssigned(),
        anAssigned({
          namespace: 'default',
          name: 'n',
          identity: { ...theirs, namespaced: true },
          binding: { ...shared, weight: 9 },
        }),
      ],
    },
    allowed,
  ],
  'never gives one that is kept from it for being named': [
    { ...acrossIs({ namespaced: true }), ...byClient(clientId) },
    'deny other-namespace',
  ],
};

for (const [promise, [world, expected]] of Object.entries(rows)) {
  t.test(promise, async (t) => {
    t.equal(brief({ mode: 'standard', ...world }), expected);
  });
}

t.test('carries what a sentence about the cure needs', async (t) => {
  const why = (world: World): unknown => {
    const decision = decided({ mode: 'standard', ...world });
    return decision.kind !== 'allow' && decision.why;
  };
  t.strictSame(why({ assigned: [created] }), { code: 'not-assigned', identity: 'demo' });
  t.strictSame(why({ assigned: [] }), { code: 'assignment-missing', binding: 'demo-binding' });
  t.strictSame(why({ assigned: [], bindings: [] }), { code: 'binding-missing', label: 'web' });
  const kept = (world: World): unknown => why({ ...across, ...world });
  t.match(kept({ namespaced: true }), { identity: { namespace: 'shared' }, rule: 'mode' });
  t.match(kept(acrossIs({ namespaced: true })), { identity: { name: 'demo' }, rule: 'annotation' });
  t.match(kept(acrossIs({ allowedNamespaces: [] })), { rule: 'allowedNamespaces' });
});
