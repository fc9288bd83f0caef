import t from 'tap';
import { exit } from '../../../lib/cli/exit.ts';
import { sampleIdentity } from '../../lab/imds/token.ts';
import { assignedObject, bindingObject, exceptionObject, identityObject } from '../../lab/objects.ts';
import { cliRig } from '../rig.ts';

const { clientId, resourceId } = sampleIdentity('demo');
const identity = identityObject('demo', 'my-app', sampleIdentity('demo'));
const binding = bindingObject('demo-binding', 'my-app', 'demo', 'web');

t.test('lists identities with the selectors that lead to them and the pods that have them', async (t) => {
  const { api, podid, json } = await cliRig(t);
  api.put(identity);
  api.put(binding);
  api.put(identityObject('other', 'shop', sampleIdentity('other')));
  api.put(bindingObject('foreign', 'shop', 'demo', 'x'));
  for (const name of ['a', 'b'])
    api.put(assignedObject({ name, namespace: 'my-app' }, { identity, binding, state: 'Assigned' }));
  const { status, stdout } = await podid(['list', '-n', 'my-app']);
  t.equal(status, exit.ok);
  t.match(stdout, /^NAMESPACE +NAME +TYPE +CLIENT ID +SELECTOR +ASSIGNED +RESOURCE ID\n/);
  t.match(stdout, new RegExp(`my-app +demo +managed identity +${clientId} +web +2 Assigned +${resourceId}`));
  t.notMatch(stdout, 'shop');
  const all = (await json(['list', '-A'])) as readonly { readonly bindings: readonly unknown[] }[];
  t.equal(all[0]?.bindings.length, 1, 'a binding names an identity of its own namespace');
  t.match(all, [
    { name: 'demo', bindings: [{ name: 'demo-binding', selector: 'web' }], assigned: { Assigned: 2 } },
    { name: 'other', namespace: 'shop', bindings: [], assigned: {} },
  ]);
});

t.test('a binding that selects by podSelector says so, and no selector is called so', async (t) => {
  const { api, podid } = await cliRig(t);
  api.put(identity);
  api.put({ ...binding, spec: { azureIdentity: 'demo', podSelector: { matchLabels: { app: 'web' } } } });
  t.match((await podid(['list', '-n', 'my-app'])).stdout, ` ${clientId}   (podSelector)   `);
});

t.test('lists what it may read where the assignments may not be read', async (t) => {
  const { api, podid } = await cliRig(t);
  api.put(identity);
  const rules = [{ verbs: ['list'], groups: ['*'], resources: ['azureidentities', 'azureidentitybindings'] }];
  await api.fault({ tokens: { tenant: { name: 'tenant', rules } } });
  const { status, stdout } = await podid(['list', '-n', 'my-app'], { token: 'tenant' });
  t.equal(status, exit.ok);
  t.match(stdout, /demo +managed identity +\S+ +- +\? /);
});

t.test('lists exceptions with their labels', async (t) => {
  const { api, podid } = await cliRig(t);
  api.put(exceptionObject('mic', 'kube-system', { app: 'mic', component: 'mic' }));
  t.match((await podid(['exception', 'list', '-A'])).stdout, /kube-system +mic +app=mic,component=mic\n/);
  t.equal((await podid(['exception', 'list', '-n', 'shop'])).stdout, 'no exceptions in namespace shop\n');
});

t.test('says that a CRD is missing', async (t) => {
  const { api, podid } = await cliRig(t);
  await api.fault({ hide: ['azureidentities', 'azureidentitybindings'] });
  t.match(await podid(['list']), { status: exit.unknown, stderr: /the CRD is not installed/ });
});
