import t from 'tap';
import { checks, examineAll } from '../../../lib/cli/doctor/checks.ts';
import { examination } from '../../../lib/cli/doctor/say.ts';
import { exit } from '../../../lib/cli/exit.ts';
import { plainStyle } from '../../../lib/cli/style.ts';
import type { AssignedObject } from '../../../lib/model/assigned-object.ts';
import { sampleIdentity } from '../../lab/imds/token.ts';
import { bindingObject, identityObject } from '../../lab/objects.ts';
import {
  assigned,
  binding,
  examined,
  facts,
  found,
  identity,
  managed,
  pod,
  says,
  told,
  untold,
} from './scene.ts';

t.test('finds nothing where all is well', async (t) => {
  for (const { check, findings, untold: why } of examineAll(facts()))
    t.same({ findings, why }, { findings: [], why: [] }, check.name);
  t.equal(examination(examineAll(facts())).status, exit.ok);
});

t.test('identities: says what MIC would say, and leaves out what only MIC minds', async (t) => {
  const none = sampleIdentity('demo');
  const without = identity(identityObject('demo', 'shop', { ...none, clientId: '' }));
  says(t, found('identities', { identities: told(without) }), [/^error .*no spec.clientID/]);
  says(t, found('identities', { identities: told() }), [/^error .*which does not exist in namespace shop/]);
  const odd = told(identity(identityObject('demo', 'shop', { ...none, resourceId: 'demo' })));
  says(t, found('identities', { identities: odd }), [/^error .*not the ARM id/]);
  t.same(found('identities', { identities: odd, mode: managed }), []);
  const nobody = told(binding(bindingObject('demo-binding', 'shop', 'demo', '')));
  says(t, found('identities', { bindings: nobody }), [/^warning .*selects no pod/]);
  says(t, found('identities', { bindings: told(), pods: told() }), [
    /^note AzureIdentities that no binding names: shop\/demo$/,
  ]);
  says(t, found('identities', { unreadable: ['azureidentities shop/x'] }), [
    /^error Objects with fields of a wrong type/,
  ]);
});

t.test(
  'labels: finds labels that no binding has, in another letter case too, and bindings without pods',
  async (t) => {
    const lost = told(pod('a', { labels: { aadpodidbinding: 'other' } }), pod('web'));
    says(t, found('labels', { pods: lost }), [
      /^error 1 pod of namespace shop with the label aadpodidbinding=other/,
    ]);
    const near = told(pod('a', { labels: { aadpodidbinding: 'Demo' } }));
    const [first, second] = found('labels', { pods: near });
    t.match(first, /AzureIdentityBinding shop\/demo-binding has demo, in another letter case/);
    t.match(second, /^note AzureIdentityBindings that select no pod: shop\/demo-binding/);
    const misspelt = told(pod('a', { labels: { aadPodIdBinding: 'demo' } }), pod('web'));
    says(t, found('labels', { pods: misspelt }), [
      /^error The label is aadpodidbinding, in small letters; shop\/a carry aadPodIdBinding/,
    ]);
    t.same(
      found('labels', {
        pods: told(pod('web'), pod('job', { labels: { aadpodidbinding: 'x' }, ended: true })),
      }),
      [],
    );
  },
);

t.test('labels: never asks to change a binding for the pods of another namespace', async (t) => {
  const thief = told(pod('web'), pod('x', { namespace: 'evil', labels: { aadpodidbinding: 'DEMO' } }));
  const [finding] = examined('labels', { pods: thief }).findings;
  t.notMatch(finding?.what, /demo-binding/);
  t.notMatch(finding?.mend.join(), /kubectl patch/);
});

t.test('letter-case: finds fields of before 1.6.0, also where the API server has dropped them', async (t) => {
  const metadata = { name: 'demo', namespace: 'shop' };
  const base = { apiVersion: 'aadpodidentity.k8s.io/v1', kind: 'AzureIdentity' };
  const old = identity({ ...base, metadata, spec: { type: 0, ClientID: 'x', resourceID: 'y' } });
  says(t, found('letter-case', { identities: told(old) }), [
    /^error AzureIdentity shop\/demo has ClientID for clientID$/,
  ]);
  const applied = JSON.stringify({ ...base, spec: { ClientID: 'x', type: 0 } });
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': applied };
  const pruned = identity({ ...base, metadata: { ...metadata, annotations }, spec: { type: 0 } });
  says(t, found('letter-case', { identities: told(pruned) }), [/was applied with ClientID for clientID/]);
  const behavior = { 'aadpodidentity.k8s.io/behavior': 'namespaced' };
  const open = identity({ ...base, metadata: { ...metadata, annotations: behavior }, spec: {} });
  says(t, found('letter-case', { identities: told(open) }), [
    /has aadpodidentity.k8s.io\/behavior: namespaced for/,
  ]);
  const right = { 'aadpodidentity.k8s.io/Behavior': 'namespaced' };
  const fine = identity({ ...base, metadata: { ...metadata, annotations: right }, spec: { clientID: 'x' } });
  t.same(found('letter-case', { identities: told(fine) }), []);
});

t.test('endpoints: finds pods whose SDK asks somebody else', async (t) => {
  const msi = told(pod('a', { misleading: ['MSI_ENDPOINT'] }), pod('b', { misleading: ['MSI_ENDPOINT'] }));
  says(t, found('endpoints', { pods: msi }), [/^error shop\/a and shop\/b have MSI_ENDPOINT/]);
  t.same(found('endpoints', { pods: told(pod('a', { misleading: ['MSI_ENDPOINT'], labels: {} })) }), []);
  says(t, found('endpoints', { pods: told(pod('a', { misleading: ['AZURE_FEDERATED_TOKEN_FILE'] })) }), [
    /^note /,
  ]);
});

t.test('says what it could not tell, and finds what it can all the same', async (t) => {
  const change = { pods: untold('pods: no right to list and watch pods'), agents: told() };
  const all = examineAll(facts(change));
  const answers = new Map(all.map(({ check, untold: why }) => [check.name, why]));
  for (const name of ['labels', 'network-policies', 'endpoints', 'assignments', 'identities'])
    t.match(answers.get(name), [/no right to list/], name);
  says(t, found('agents', change), [/No agent/]);
  const report = examination(all);
  t.equal(report.status, exit.no, 'what was found outweighs');
  t.match(
    report.text(plainStyle),
    /\? Labels and bindings find each other\n +could not tell: pods: no right/,
  );
  t.equal(examination(examineAll(facts({ pods: change.pods }))).status, exit.unknown);
});

t.test('shows people the worst of many findings, and counts the rest', async (t) => {
  const pods = Array.from({ length: 30 }, (_, i) => pod(`p${i}`, { labels: { aadpodidbinding: `x${i}` } }));
  const text = examination(examineAll(facts({ pods: told(...pods) }))).text(plainStyle);
  t.equal(text.match(/^ +error: /gm)?.length, 10);
  t.match(text, 'and 21 more; -o json tells all');
  t.match(text, /^30 errors, 0 warnings, 1 note$/m);
});

t.test('takes a note for no reason to mend anything', async (t) => {
  const all = examineAll(
    facts({ bindings: told(binding(), binding(bindingObject('idle', 'shop', 'demo', 'x'))) }),
  );
  const report = examination(all);
  t.match(report.text(plainStyle), /✓ Labels and bindings find each other\n +note: /);
  t.equal(report.status, exit.ok);
});

t.test('assignments: finds what no MIC looks after, and leaves the rest to it', async (t) => {
  const left = (change: Partial<AssignedObject>): AssignedObject => ({ ...assigned(), ...change });
  const stuck = told(left({ deleting: true, hasFinalizer: true }));
  says(t, found('assignments', { assigned: stuck, mics: told() }), [
    /^error .*deleted and not gone: default\/web-shop-demo$/,
  ]);
  t.same(found('assignments', { assigned: stuck }), [], 'a MIC that runs takes it off');
  const gone = { assigned: told(assigned()), pods: told() };
  says(t, found('assignments', { ...gone, mics: told() }), [
    /^warning .*of pods that are gone, and no MIC runs/,
  ]);
  says(t, found('assignments', { mode: managed, assigned: told(assigned()), mics: told() }), [
    /^warning .*AzureAssignedIdentities of standard mode are left: default\/web-shop-demo$/,
  ]);
});

t.test('writes nothing to a terminal that an author of an object has made up', async (t) => {
  const evil = bindingObject('b', 'shop', 'x\x1b[2J', '');
  const odd = told(pod('a', { labels: { aadpodidbinding: 'y\x1b[2J' } }));
  const all = examineAll(facts({ bindings: told(binding(evil)), pods: odd }));
  t.notMatch(examination(all).text(plainStyle), '\x1b');
});

t.test('each check has a name of its own', async (t) => {
  t.equal(new Set(checks.map(({ name }) => name)).size, checks.length);
});
