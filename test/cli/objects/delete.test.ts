import t from 'tap';
import { exit } from '../../../lib/cli/exit.ts';
import { sampleIdentity } from '../../lab/imds/token.ts';
import { assignedObject, bindingObject, identityObject } from '../../lab/objects.ts';
import { type CliRig, cliRig } from '../rig.ts';

const identity = identityObject('demo', 'my-app', sampleIdentity('demo'));
const binding = bindingObject('demo-binding', 'my-app', 'demo', 'demo');

function seed({ api }: CliRig): void {
  api.put(identity);
  api.put(binding);
  api.put(bindingObject('second', 'my-app', 'demo', 'other'));
  api.put(bindingObject('foreign', 'my-app', 'elsewhere', 'elsewhere'));
}

function assign({ api }: CliRig, state: 'Assigned' | 'Unassigned'): void {
  api.put(assignedObject({ name: 'web', namespace: 'my-app' }, { identity, binding, state }));
}

t.test('deletes the identity and every binding that names it, and nothing else', async (t) => {
  const rig = await cliRig(t);
  seed(rig);
  const { status, stdout } = await rig.podid(['delete', '--namespace', 'my-app', '--name', 'demo']);
  t.equal(status, exit.ok);
  const bindings = ['demo-binding', 'second'].map((name) => `AzureIdentityBinding my-app/${name} deleted\n`);
  t.equal(stdout, `${bindings.join('')}AzureIdentity my-app/demo deleted\n`);
  t.ok(rig.api.get('AzureIdentityBinding', 'my-app', 'foreign'));
  t.notOk(rig.api.get('AzureIdentity', 'my-app', 'demo'));
});

t.test('tells what is deleted already when the rest is refused', async (t) => {
  const rig = await cliRig(t);
  seed(rig);
  const bindings = { verbs: ['*'], groups: ['*'], resources: ['azureidentitybindings'] };
  await rig.api.fault({ tokens: { 'admin-token': { name: 'dev', rules: [bindings] } } });
  const { status, stdout, stderr } = await rig.podid(['delete', 'demo', '-n', 'my-app']);
  t.same({ status, stdout }, { status: exit.unknown, stdout: '' });
  t.match(
    stderr,
    /^podid: AzureIdentityBinding my-app\/demo-binding deleted, AzureIdentityBinding my-app\/second deleted; then: .*forbidden/,
  );
});

t.test('waits until no pod has the identity, and says what it waits for', async (t) => {
  const rig = await cliRig(t);
  seed(rig);
  assign(rig, 'Assigned');
  const late = rig.podid(['delete', 'demo', '-n', 'my-app', '--timeout', '3s']);
  const { status, stdout, stderr } = await late;
  t.equal(status, exit.wait);
  t.match(stderr, /waiting for 1 to let go of it: Pod my-app\/web/);
  t.match(stdout, 'Pod my-app/web still has it');
  assign(rig, 'Unassigned');
  t.equal(
    (await rig.podid(['delete', 'demo', '-n', 'my-app'])).status,
    exit.ok,
    'the grace of MIC is not waited for',
  );
});

t.test('returns at once where that is asked for', async (t) => {
  const rig = await cliRig(t);
  seed(rig);
  assign(rig, 'Assigned');
  const { status, stderr } = await rig.podid(['delete', 'demo', '-n', 'my-app', '--wait=false']);
  t.equal(status, exit.ok);
  t.equal(stderr, '');
});

t.test('is done where nothing is left to delete', async (t) => {
  const { podid } = await cliRig(t);
  const { status, stdout } = await podid(['delete', 'demo', '-n', 'my-app']);
  t.equal(status, exit.ok);
  t.equal(stdout, 'nothing of that name is there\n');
});
