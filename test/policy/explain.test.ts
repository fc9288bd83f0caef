import t from 'tap';
import type { Decision, DenyReason } from '../../lib/model/decision.ts';
import { explain } from '../../lib/policy/explain.ts';
import { anIdentity, aPod } from '../fakes/model.ts';

type Sentences = {
  readonly [Code in DenyReason['code']]: readonly [Extract<DenyReason, { code: Code }>, string];
};

/** Every reason there is; a new one does not compile before it stands here. */
const sentences: Sentences = {
  'no-label': [
    { code: 'no-label' },
    'Pod apps/web has no label aadpodidbinding. Add it with the selector of an AzureIdentityBinding in namespace apps: kubectl label pod web -n apps aadpodidbinding=SELECTOR (and in the pod template, to keep it).',
  ],
  'no-binding': [
    { code: 'no-binding', label: 'web' },
    'Pod apps/web has the label aadpodidbinding=web, but no AzureIdentityBinding in namespace apps has that selector. Create one there with spec.selector: web and spec.azureIdentity naming an AzureIdentity of the same namespace.',
  ],
  'no-identity': [
    {
      code: 'no-identity',
      bindings: [
        { name: 'one', azureIdentity: 'demo' },
        { name: 'two', azureIdentity: 'x' },
      ],
    },
    'Pod apps/web is bound (one to demo, two to x), but there is no such AzureIdentity in namespace apps. Create it there.',
  ],
  'not-bound': [
    { code: 'not-bound', selector: { by: 'client_id', value: 'feed' } },
    'Pod apps/web is bound to no identity with client_id feed. Create an AzureIdentity with it and an AzureIdentityBinding that selects the pod, in namespace apps, or ask for an identity that it is bound to.',
  ],
  'no-client-id': [
    { code: 'no-client-id', identity: 'demo' },
    "AzureIdentity apps/demo has no spec.clientID, so it could only be the node's own identity, which is never given to a pod. Set spec.clientID.",
  ],
};

for (const [code, [why, sentence]] of Object.entries(sentences)) {
  t.test(`tells what is missing and how to add it: ${code}`, async (t) => {
    t.equal(explain(aPod(), { kind: 'deny', why }), sentence);
  });
}

t.test('tells what a pod may have, and by what', async (t) => {
  t.equal(
    explain(aPod(), { kind: 'allow', identity: anIdentity(), binding: 'demo-binding' }),
    'Pod apps/web may have AzureIdentity demo by AzureIdentityBinding demo-binding.',
  );
  t.equal(
    explain(aPod(), { kind: 'pass', exception: 'apps/agents' }),
    'Pod apps/web is excepted by AzurePodIdentityException apps/agents and passes as the node.',
  );
});

t.test('cuts what others chose, and frees it of control characters', async (t) => {
  const evil = `x\x1b[2J\n${'y'.repeat(5000)}`;
  const named = { name: evil, azureIdentity: evil };
  const decisions: readonly Decision[] = [
    { kind: 'deny', why: { code: 'no-binding', label: evil } },
    { kind: 'deny', why: { code: 'no-identity', bindings: Array(500).fill(named) } },
    { kind: 'deny', why: { code: 'not-bound', selector: { by: 'resource_id', value: evil } } },
    { kind: 'deny', why: { code: 'no-client-id', identity: evil } },
    { kind: 'allow', identity: anIdentity({ name: evil }), binding: evil },
    { kind: 'pass', exception: evil },
  ];
  for (const decision of decisions) {
    const sentence = explain(aPod(), decision);
    t.notMatch(sentence, /[\p{Cc}\p{Cf}]/u);
    t.match(sentence, 'x?[2J?y');
    t.ok(sentence.length < 800, `${sentence.length} characters`);
  }
});
