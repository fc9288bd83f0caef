import t from 'tap';
import { exit } from '../../../lib/cli/exit.ts';
import { call, cliRig } from '../rig.ts';

const group = '/subscriptions/5ab00000-0000-4000-8000-000000000000/resourcegroups/apps';
const resourceId = `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/demo`;
const clientId = 'c11e0000-0000-4000-8000-000000000001';
const az = ['add', '--namespace', 'my-app', '--name', 'demo', '--identity-resource-id', resourceId];
const whole = [...az, '--client-id', clientId];

t.test('makes the identity and the binding that the AKS add-on made', async (t) => {
  const { api, podid } = await cliRig(t);
  api.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'my-app' } });
  const { status, stdout } = await podid(whole);
  t.equal(status, exit.ok);
  t.match(stdout, 'AzureIdentity my-app/demo created\nAzureIdentityBinding my-app/demo-binding created\n');
  t.match(stdout, 'aadpodidbinding: demo');
  const identity = api.get('AzureIdentity', 'my-app', 'demo');
  t.same(identity?.spec, { type: 0, resourceID: resourceId, clientID: clientId });
  const binding = api.get('AzureIdentityBinding', 'my-app', 'demo-binding');
  t.same(binding?.spec, { azureIdentity: 'demo', selector: 'demo' });
});

t.test('tells what is made already when the rest is refused', async (t) => {
  const { api, podid } = await cliRig(t);
  api.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'my-app' } });
  const identities = { verbs: ['*'], groups: ['*'], resources: ['azureidentities'] };
  await api.fault({ tokens: { 'admin-token': { name: 'dev', rules: [identities] } } });
  const stderr = /^podid: AzureIdentity my-app\/demo created; then: .*azureidentitybindings.*forbidden/;
  t.match(await podid(whole), { status: exit.unknown, stdout: '', stderr });
});

t.test('does no more twice than once, in whatever letter case the ids are written', async (t) => {
  const { api, podid } = await cliRig(t);
  api.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'my-app' } });
  await podid(whole);
  const before = api.get('AzureIdentity', 'my-app', 'demo')?.metadata.resourceVersion;
  const again = [...az.slice(0, -1), resourceId.toLowerCase(), '--client-id', clientId.toUpperCase()];
  const { status, stdout } = await podid(again);
  t.equal(status, exit.ok);
  t.match(
    stdout,
    'AzureIdentity my-app/demo unchanged\nAzureIdentityBinding my-app/demo-binding unchanged\n',
  );
  t.equal(api.get('AzureIdentity', 'my-app', 'demo')?.metadata.resourceVersion, before);
});

t.test(
  'leaves an identity that says something else alone, and hands nothing else out by a binding',
  async (t) => {
    const { api, podid, json } = await cliRig(t);
    api.put({
      ...{ apiVersion: 'aadpodidentity.k8s.io/v1', kind: 'AzureIdentity' },
      metadata: { namespace: 'my-app', name: 'demo' },
      spec: { type: 0, resourceID: resourceId, clientID: 'c11e0000-0000-4000-8000-00000000000f' },
    });
    const { status, stdout } = await podid(whole);
    t.equal(status, exit.no);
    t.match(stdout, 'spec.clientID: "c11e0000-0000-4000-8000-00000000000f" is there');
    t.notOk(api.get('AzureIdentityBinding', 'my-app', 'demo-binding'), 'no binding was made');
    const made = (await podid([...whole, '--overwrite'])).stdout;
    t.match(
      made,
      `AzureIdentity my-app/demo changed\n  spec.clientID: "c11e0000-0000-4000-8000-00000000000f" → "${clientId}"\n`,
    );
    t.match(await json([...whole, '--overwrite']), {
      objects: [
        { name: 'demo', result: 'unchanged' },
        { name: 'demo-binding', result: 'unchanged' },
      ],
    });
    t.match(api.get('AzureIdentity', 'my-app', 'demo')?.spec, { clientID: clientId });
  },
);

t.test('keeps what it was not asked about when it changes an object', async (t) => {
  const { api, podid } = await cliRig(t);
  api.put({
    ...{ apiVersion: 'aadpodidentity.k8s.io/v1', kind: 'AzureIdentityBinding' },
    metadata: { namespace: 'my-app', name: 'demo-binding' },
    spec: { azureIdentity: 'demo', selector: 'old', weight: 7 },
  });
  t.equal((await podid([...whole, '--overwrite'])).status, exit.ok);
  const binding = api.get('AzureIdentityBinding', 'my-app', 'demo-binding');
  t.same(binding?.spec, { azureIdentity: 'demo', selector: 'demo', weight: 7 });
});

t.test('tells the az command that tells the client id', async (t) => {
  const { status, stderr } = await call(az);
  t.equal(status, exit.usage);
  t.match(stderr, `az identity show --ids ${resourceId} --query clientId -o tsv`);
});

t.test('prints the objects for kubectl, and asks no cluster for that', async (t) => {
  const { status, stdout } = await call([...whole, '--dry-run=client', '-o', 'yaml']);
  t.equal(status, exit.ok);
  t.match(stdout, /^---\napiVersion: v1\nkind: List\nitems:\n/);
  t.match(stdout, `resourceID: ${resourceId}`);
  t.match(stdout, 'azureIdentity: demo\n');
  for (const dry of ['--dry-run=client', '--dry-run'])
    t.match((await call([...whole, dry])).stdout, 'AzureIdentity my-app/demo not made (dry run)', dry);
});

t.test('refuses what nothing could come of', async (t) => {
  const dry = '--dry-run=client';
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [['add', '-n', 'x', '--client-id', clientId, dry], /--identity-resource-id is needed/],
    [[...whole, '--identity-resource-id', '/subscriptions/x', dry], /takes the ARM id/],
    [[...whole, '--client-id', 'demo', dry], /takes a GUID/],
    [[...whole, '--name', 'Demo', dry], /no name that Kubernetes takes/],
    [[...whole, '--binding-selector', 'a b', dry], /value of a label/],
    [[...whole, 'other', dry], /stands alone/],
  ];
  for (const [args, why] of wrong) {
    const { status, stderr } = await call(args);
    t.equal(status, exit.usage, args.join(' '));
    t.match(stderr, why);
  }
});

t.test('tells in the words of the API server which right is missing', async (t) => {
  const { podid } = await cliRig(t);
  const { status, stderr } = await podid(whole, { token: 'nmi-token' });
  t.equal(status, exit.unknown);
  t.match(stderr, /cannot create resource "azureidentities"/);
});
