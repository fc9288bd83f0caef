import t from 'tap';
import type { AzurePodIdentityException } from '../../lib/model/exception.ts';
import { Exceptions } from '../../lib/policy/exceptions.ts';
import { Policy } from '../../lib/policy/policy.ts';
import { aBinding, anAssigned, anException, anIdentity, aPod } from '../fakes/model.ts';
import { booksOf, type World } from './worlds.ts';

const request = { resource: 'https://vault.azure.net' };
const excepted = aPod({ labels: { aadpodidbinding: 'web', app: 'agent' } });
const mic = aPod({ namespace: 'kube-system', labels: { component: 'mic', app: 'mic' } });

function policyOf(
  world: World = {},
  exceptions: readonly AzurePodIdentityException[] = [anException()],
): Policy {
  const all = new Exceptions();
  all.replace(exceptions);
  return new Policy({ ...booksOf(world), exceptions: all, micNamespace: 'kube-system', aksAddOns: true });
}

t.test('decides as the books say for a pod that nothing excepts', async (t) => {
  t.match(policyOf().decide(aPod(), request), { kind: 'allow', binding: 'demo-binding' });
  t.match(policyOf().decide(aPod({ labels: {} }), request), { kind: 'deny', why: { code: 'no-label' } });
  t.equal(policyOf().exceptionOf(aPod()), undefined);
});

t.test('an exception wins over a binding, and over the lack of one', async (t) => {
  const exception = 'AzurePodIdentityException apps/agents';
  t.strictSame(policyOf().decide(excepted, request), { kind: 'pass', exception });
  t.strictSame(policyOf({ bindings: [] }).decide(excepted, request), { kind: 'pass', exception });
  t.equal(policyOf().exceptionOf(excepted), exception);
});

t.test("MIC's own pods pass, unless there is no MIC", async (t) => {
  t.match(policyOf().decide(mic, request), { kind: 'pass', exception: /MICNamespace/ });
  const managed = { ...booksOf({}), exceptions: new Exceptions(), micNamespace: undefined, aksAddOns: false };
  t.match(new Policy(managed).decide(mic, request), { kind: 'deny' });
});

t.test('what excepts a pod is looked up again when the books have changed, and not before', async (t) => {
  const exceptions = new Exceptions();
  const policy = new Policy({ ...booksOf({}), exceptions, micNamespace: undefined, aksAddOns: false });
  t.match(policy.decide(excepted, request), { kind: 'allow' });
  exceptions.replace([anException()]);
  t.match(policy.decide(excepted, request), { kind: 'allow' });
  policy.changed();
  t.match(policy.decide(excepted, request), { kind: 'pass' });
  exceptions.replace([]);
  policy.changed();
  t.match(policy.decide(excepted, request), { kind: 'allow' });
});

t.test("AKS's add-ons pass where the agent is told so: of kube-system, by AKS's own label", async (t) => {
  const addOn = aPod({ namespace: 'kube-system', labels: { 'kubernetes.azure.com/managedby': 'AKS' } });
  const exception = "being an add-on of AKS's (--aks-addon-exception)";
  t.strictSame(policyOf({}, []).decide(addOn, request), { kind: 'pass', exception });
  for (const other of [
    { ...addOn, namespace: 'apps' },
    { ...addOn, labels: { 'kubernetes.azure.com/managedby': 'me' } },
    { ...addOn, labels: {} },
  ])
    t.match(policyOf({}, []).decide(other, request), { kind: 'deny' });
  const untold = { ...booksOf({}), exceptions: new Exceptions(), micNamespace: undefined, aksAddOns: false };
  t.match(new Policy(untold).decide(addOn, request), { kind: 'deny' });
});

t.test("the node's drivers get the pod's own identity, whatever excepts it", async (t) => {
  t.match(policyOf().decideForHost(excepted, request), { kind: 'allow', identity: { name: 'demo' } });
  t.match(policyOf().decideForHost(mic, request), { kind: 'deny', why: { code: 'no-label' } });
});

t.test('names the identities that the pod may have, and no other', async (t) => {
  const namesOf = (world: World): string[] =>
    policyOf(world)
      .identitiesOf(aPod())
      .map(({ name }) => name);
  t.same(namesOf({}), ['demo']);
  t.same(namesOf({ bindings: [] }), []);
  t.same(namesOf({ identities: [anIdentity({ allowedNamespaces: ['other'] })] }), []);
  t.same(namesOf({ identities: [anIdentity({ clientId: '' })] }), [], "that would be the node's own");
  t.same(namesOf({ identities: [anIdentity({ type: 1, clientId: '' })] }), ['demo']);
  const bindings = [aBinding(), aBinding({ name: 'b', azureIdentity: 'gone' })];
  t.same(namesOf({ bindings }), ['demo']);
  const assigned = [anAssigned({ state: 'Created' }), anAssigned({ name: 'other', pod: 'other' })];
  t.same(namesOf({ mode: 'standard', assigned }), []);
});

t.test('searches once for a pod, however many of its requests wait, until the books change', async (t) => {
  const books = booksOf({});
  let searches = 0;
  const candidatesOf: typeof books.candidatesOf = (pod) => {
    searches += 1;
    return books.candidatesOf(pod);
  };
  const policy = new Policy({
    ...books,
    candidatesOf,
    exceptions: new Exceptions(),
    micNamespace: undefined,
    aksAddOns: false,
  });
  const pod = aPod();
  for (let i = 0; i < 100; i++) policy.decide(pod, request);
  t.equal(searches, 1);
  policy.changed();
  policy.decide(pod, request);
  t.equal(searches, 2);
  policy.decide(aPod(), request);
  t.equal(searches, 3, 'a pod as the watch brings it anew is another');
});
