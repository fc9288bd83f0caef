import t from 'tap';
import type { LabelSelector } from '../../lib/model/label-selector.ts';
import { aBinding, anIdentity, aPod } from '../fakes/model.ts';
import { brief, byClient, decided, type World } from './worlds.ts';

const allowed = 'allow apps/demo by demo-binding';
const { clientId } = anIdentity();
const web: LabelSelector = { matchLabels: { app: 'web' }, matchExpressions: [] };
const everything: LabelSelector = { matchLabels: {}, matchExpressions: [] };
const webPod = aPod({ labels: { app: 'web' } });

const rows: Readonly<Record<string, readonly [World, string]>> = {
  'gives a bound pod its identity': [{}, allowed],
  'denies a pod without the label': [{ pod: webPod }, 'deny no-label'],
  'denies a pod whose label is empty': [{ pod: aPod({ labels: { aadpodidbinding: '' } }) }, 'deny no-label'],
  'denies a pod that no binding selects': [{ bindings: [] }, 'deny no-binding'],
  'lets a binding without a selector select nothing': [
    { bindings: [aBinding({ selector: '' })] },
    'deny no-binding',
  ],
  'lets a binding without a selector not select the pods without the label': [
    { pod: aPod({ labels: {} }), bindings: [aBinding({ selector: '' })] },
    'deny no-label',
  ],
  'takes a selector by the letter': [{ bindings: [aBinding({ selector: 'Web' })] }, 'deny no-binding'],
  'never uses the binding of another namespace': [
    { bindings: [aBinding({ namespace: 'other' })], identities: [anIdentity({ namespace: 'other' })] },
    'deny no-binding',
  ],
  'waits for an identity that a binding names and that is not there': [
    { identities: [] },
    'wait identity-missing',
  ],
  'never uses the identity of another namespace': [
    { identities: [anIdentity({ namespace: 'other' })] },
    'wait identity-missing',
  ],
  'never follows a binding out of its namespace': [
    {
      bindings: [aBinding({ azureIdentity: '../other/demo' })],
      identities: [anIdentity({ namespace: 'other' })],
    },
    'wait identity-missing',
  ],
  'takes the name of an identity by the letter': [
    { identities: [anIdentity({ name: 'Demo' })] },
    'wait identity-missing',
  ],
  'waits for an id that the missing identity may have': [
    { ...byClient(clientId), identities: [] },
    'wait identity-missing',
  ],
  'waits for a foreign id while one of two identities is missing': [
    { ...byClient('feed'), bindings: [aBinding(), aBinding({ name: 'b', azureIdentity: 'gone' })] },
    'wait identity-missing',
  ],
  'denies a foreign id at once where all identities are there': [byClient('feed'), 'deny not-bound'],
  'denies an identity of the namespace that the pod is not bound to': [
    { ...byClient('feed'), identities: [anIdentity(), anIdentity({ name: 'rich', clientId: 'feed' })] },
    'deny not-bound',
  ],
  'goes on when one of two bindings leads nowhere': [
    { bindings: [aBinding({ name: 'broken', azureIdentity: 'gone', weight: 9 }), aBinding()] },
    allowed,
  ],
  'keeps an identity of the namespace from pods that it does not allow': [
    { identities: [anIdentity({ allowedNamespaces: ['other'] })] },
    'deny other-namespace',
  ],
  'gives an identity to the namespaces that it allows': [
    { identities: [anIdentity({ allowedNamespaces: ['other', 'apps'] })] },
    allowed,
  ],
  'gives an identity that allows no namespace to nobody': [
    { identities: [anIdentity({ allowedNamespaces: [] })] },
    'deny other-namespace',
  ],
  'gives a namespaced identity to pods of its own namespace': [
    { identities: [anIdentity({ namespaced: true })] },
    allowed,
  ],
  'selects by podSelector instead of the label': [
    { pod: webPod, bindings: [aBinding({ selector: '', podSelector: web })] },
    allowed,
  ],
  'does not select by a podSelector that does not hold': [
    { pod: aPod({ labels: { app: 'api' } }), bindings: [aBinding({ selector: '', podSelector: web })] },
    'deny no-label',
  ],
  'selects every pod of the namespace by an empty podSelector': [
    { pod: aPod({ labels: {} }), bindings: [aBinding({ selector: '', podSelector: everything })] },
    allowed,
  ],
  'selects pods of its own namespace alone by podSelector': [
    {
      pod: webPod,
      bindings: [aBinding({ namespace: 'other', selector: '', podSelector: web })],
      identities: [anIdentity({ namespace: 'other' })],
    },
    'deny no-label',
  ],
  'selects where selector and podSelector both hold': [
    {
      pod: aPod({ labels: { app: 'web', aadpodidbinding: 'web' } }),
      bindings: [aBinding({ podSelector: web })],
    },
    allowed,
  ],
  'does not select where selector alone holds': [
    { bindings: [aBinding({ podSelector: web })] },
    'deny no-binding',
  ],
  'does not select where podSelector alone holds': [
    { pod: webPod, bindings: [aBinding({ podSelector: web })] },
    'deny no-label',
  ],
  'does not select where podSelector holds and the label is another': [
    {
      pod: aPod({ labels: { app: 'web', aadpodidbinding: 'Web' } }),
      bindings: [aBinding({ podSelector: web })],
    },
    'deny no-binding',
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
    return decision.kind !== 'allow' && decision.why;
  };
  t.strictSame(why({ bindings: [] }), { code: 'no-binding', label: 'web' });
  t.strictSame(why({ identities: [] }), {
    code: 'identity-missing',
    binding: 'demo-binding',
    azureIdentity: 'demo',
  });
  t.strictSame(why(byClient('feed')), { code: 'not-bound', selector: { by: 'client_id', value: 'feed' } });
});
