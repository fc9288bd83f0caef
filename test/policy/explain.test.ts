import t from 'tap';
import type { Decision, DenyReason, WaitReason } from '../../lib/model/decision.ts';
import { explain } from '../../lib/policy/explain.ts';
import { anIdentity, aPod } from '../fakes/model.ts';

type Sentences<Reason extends { code: string }> = {
  readonly [Code in Reason['code']]: readonly (readonly [Extract<Reason, { code: Code }>, string])[];
};

const theirs = anIdentity({ namespace: 'shared' });

/** Every reason there is; a new one does not compile before it stands here. */
const denials: Sentences<DenyReason> = {
  'no-label': [
    [
      { code: 'no-label' },
      'Pod apps/web has no label aadpodidbinding, and no AzureIdentityBinding selects it otherwise. Add the label with the selector of an AzureIdentityBinding: kubectl label pod web -n apps aadpodidbinding=SELECTOR (and in the pod template, to keep it).',
    ],
  ],
  'no-binding': [
    [
      { code: 'no-binding', label: 'web' },
      'Pod apps/web has the label aadpodidbinding=web, but no AzureIdentityBinding in namespace apps has that selector. Create one there with spec.selector: web and spec.azureIdentity naming an AzureIdentity of the same namespace.',
    ],
  ],
  'not-bound': [
    [
      { code: 'not-bound', selector: { by: 'client_id', value: 'feed' } },
      'Pod apps/web is bound to no identity with client_id feed. Create an AzureIdentity with it and an AzureIdentityBinding that selects the pod, or ask for an identity that it is bound to.',
    ],
  ],
  'other-namespace': [
    [
      { code: 'other-namespace', identity: theirs, rule: 'mode' },
      'Pod apps/web may not have AzureIdentity shared/demo: the agent runs namespaced (--forceNamespaced), so create the identity and its binding in the namespace of the pod.',
    ],
    [
      { code: 'other-namespace', identity: theirs, rule: 'annotation' },
      'Pod apps/web may not have AzureIdentity shared/demo: it has the annotation aadpodidentity.k8s.io/Behavior: namespaced and is of another namespace.',
    ],
    [
      { code: 'other-namespace', identity: theirs, rule: 'allowedNamespaces' },
      'Pod apps/web may not have AzureIdentity shared/demo: add the namespace of the pod to its spec.allowedNamespaces.',
    ],
  ],
  'no-client-id': [
    [
      { code: 'no-client-id', identity: anIdentity() },
      "AzureIdentity apps/demo has no spec.clientID, so it could only be the node's own identity, which is never given to a pod. Set spec.clientID.",
    ],
  ],
};

const delays: Sentences<WaitReason> = {
  'identity-missing': [
    [
      { code: 'identity-missing', binding: 'demo-binding', azureIdentity: 'demo' },
      'Pod apps/web is bound by AzureIdentityBinding demo-binding to AzureIdentity demo, which does not exist in namespace apps. Create it there.',
    ],
  ],
  'assignment-missing': [
    [
      { code: 'assignment-missing', binding: 'demo-binding' },
      "AzureIdentityBinding demo-binding selects apps/web, but MIC has not made the assignment yet. If this lasts, see MIC's log.",
    ],
  ],
  'not-assigned': [
    [
      { code: 'not-assigned', identity: 'demo' },
      "AzureIdentity demo is being assigned to the machine of apps/web, which takes Azure up to a minute. If this lasts, see MIC's log and the events of the AzureIdentity.",
    ],
  ],
  'binding-missing': [
    [
      { code: 'binding-missing', label: 'web' },
      'Pod apps/web has the label aadpodidbinding=web, but no AzureIdentityBinding has that selector yet. Create one in namespace apps with spec.selector: web.',
    ],
  ],
};

for (const [code, sentences] of Object.entries(denials)) {
  t.test(`a denial tells what is missing and how to add it: ${code}`, async (t) => {
    for (const [why, sentence] of sentences) t.equal(explain(aPod(), { kind: 'deny', why }), sentence);
  });
}

for (const [code, sentences] of Object.entries(delays)) {
  t.test(`a wait tells what it is for: ${code}`, async (t) => {
    for (const [why, sentence] of sentences) t.equal(explain(aPod(), { kind: 'wait', why }), sentence);
  });
}

t.test('tells what a pod may have, and by what', async (t) => {
  t.equal(
    explain(aPod(), { kind: 'allow', identity: anIdentity(), binding: 'demo-binding' }),
    'Pod apps/web may have AzureIdentity apps/demo by AzureIdentityBinding demo-binding.',
  );
  t.equal(
    explain(aPod(), { kind: 'pass', exception: 'AzurePodIdentityException apps/agents' }),
    'Pod apps/web is excepted by AzurePodIdentityException apps/agents and passes as the node.',
  );
});

t.test('cuts what others chose, and frees it of control characters', async (t) => {
  const evil = `x\x1b[2J\n${'y'.repeat(1_000_000)}`;
  const identity = anIdentity({ namespace: evil, name: evil });
  const rules = ['mode', 'annotation', 'allowedNamespaces'] as const;
  const decisions: readonly Decision[] = [
    { kind: 'deny', why: { code: 'no-binding', label: evil } },
    { kind: 'deny', why: { code: 'not-bound', selector: { by: 'resource_id', value: evil } } },
    ...rules.map((rule) => ({ kind: 'deny', why: { code: 'other-namespace', identity, rule } }) as const),
    { kind: 'deny', why: { code: 'no-client-id', identity } },
    { kind: 'wait', why: { code: 'identity-missing', binding: evil, azureIdentity: evil } },
    { kind: 'wait', why: { code: 'assignment-missing', binding: evil } },
    { kind: 'wait', why: { code: 'not-assigned', identity: evil } },
    { kind: 'wait', why: { code: 'binding-missing', label: evil } },
    { kind: 'allow', identity, binding: evil },
    { kind: 'pass', exception: evil },
  ];
  for (const decision of decisions) {
    const sentence = explain(aPod(), decision);
    t.notMatch(sentence, /[\p{Cc}\p{Cf}]/u);
    t.match(sentence, 'x?[2J?y');
    t.ok(sentence.length < 800, `${sentence.length} characters`);
  }
});
