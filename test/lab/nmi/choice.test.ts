import t from 'tap';
import type { Agent } from '../agent.ts';
import { eventually } from '../eventually.ts';
import { claimsOf, sampleIdentity } from '../imds/token.ts';
import type { Lab } from '../lab.ts';
import { unavailable } from '../namespaces.ts';
import { bindingObject, exceptionObject, identityObject } from '../objects.ts';
import { ask, scene, tokenUrl } from './scene.ts';

/** Which identity a pod gets where several could be meant, and who passes as the node. One lab for all. */
const skip = unavailable() ?? false;
let lab: Lab;
let agent: Agent;

t.before(async () => {
  if (skip) return;
  ({ lab, agent } = await scene(t));
  await lab.imds.assign(sampleIdentity('heavy'));
  for (const name of ['other', 'heavy']) {
    await lab.kube.apply(identityObject(name, 'default', sampleIdentity(name)));
  }
  await agent.ready();
});

async function appIdOf(pod: string, query = ''): Promise<unknown> {
  const { status, body } = await ask(lab, pod, `${tokenUrl}${query}`);
  return status === 200 ? claimsOf(String(body.access_token)).appid : status;
}

const clientId = (name: string): string => sampleIdentity(name).clientId;

t.test('podSelector gives an identity to pods without the label', { skip }, async (t) => {
  const podSelector = { matchExpressions: [{ key: 'tier', operator: 'In', values: ['web', 'api'] }] };
  const { spec, ...binding } = bindingObject('tiers', 'default', 'other', '');
  await lab.kube.apply({ ...binding, spec: { ...spec, podSelector } });
  await lab.addPod({ name: 'web', labels: { tier: 'web' } });
  await lab.addPod({ name: 'db', labels: { tier: 'db' } });
  await eventually('the binding counts', async () => (await appIdOf('web')) === clientId('other'));
  t.equal(await appIdOf('db'), 400);
});

t.test(
  'the heaviest binding wins when a request names no identity, and ids name the others',
  { skip },
  async (t) => {
    const { spec, ...binding } = bindingObject('heavy', 'default', 'heavy', 'demo');
    await lab.kube.apply({ ...binding, spec: { ...spec, weight: 2 } });
    await lab.kube.apply(bindingObject('other', 'default', 'other', 'demo'));
    await eventually('the binding counts', async () => (await appIdOf('demo')) === clientId('heavy'));
    const { resourceId } = sampleIdentity('other');
    t.equal(await appIdOf('demo', `&client_id=${clientId('demo').toUpperCase()}`), clientId('demo'));
    t.equal(await appIdOf('demo', `&msi_res_id=${resourceId.toUpperCase()}`), clientId('other'));
    t.equal(await appIdOf('demo', `&mi_res_id=${resourceId}&msi_res_id=${resourceId}`), 400);
  },
);

t.test('managed mode is namespaced: a binding of another namespace gives nothing', { skip }, async (t) => {
  await lab.imds.assign(sampleIdentity('team'));
  await lab.kube.apply(identityObject('team', 'team', sampleIdentity('team')));
  await lab.kube.apply(bindingObject('team', 'team', 'team', 'team'));
  await lab.addPod({ name: 'team', namespace: 'team', labels: { aadpodidbinding: 'team' } });
  await lab.addPod({ name: 'guest', labels: { aadpodidbinding: 'team' } });
  await eventually('the binding counts', async () => (await appIdOf('team')) === clientId('team'));
  t.equal(await appIdOf('guest'), 400);
  t.equal(await appIdOf('guest', `&client_id=${clientId('team')}`), 400);
});

t.test('object_id names an identity of the pod, and IMDS is never asked for the id', { skip }, async (t) => {
  const { objectId } = sampleIdentity('demo');
  t.equal(await appIdOf('demo', `&object_id=${objectId.toUpperCase()}`), clientId('demo'));
  t.equal(await appIdOf('demo', `&object_id=${sampleIdentity('nobody').objectId}`), 400);
  t.equal(await appIdOf('web', `&object_id=${objectId}`), 400, "another pod's");
  const { requests } = await lab.imds.log();
  t.same(
    requests.filter(({ target }) => target.includes('object_id')),
    [],
  );
});

t.test('an exception that says match: all covers pods with all of its labels only', { skip }, async (t) => {
  const { metadata, ...exception } = exceptionObject('both', 'default', { app: 'free', tier: 'job' });
  const annotations = { 'aadpodidentity.k8s.io/match': 'all' };
  await lab.kube.apply({ ...exception, metadata: { ...metadata, annotations } });
  await lab.addPod({ name: 'one', labels: { app: 'free' } });
  await lab.addPod({ name: 'both', labels: { app: 'free', tier: 'job' } });
  await eventually('the exception counts', async () => (await appIdOf('both')) === clientId('node1'));
  t.equal(await appIdOf('one'), 400);
  await lab.kube.patch('AzurePodIdentityException', 'both', { metadata: { annotations: null } });
  await eventually('any label will do again', async () => (await appIdOf('one')) === clientId('node1'));
});

t.test('a pod is known by each of its status.podIPs, whichever comes first', { skip }, async (t) => {
  const own = `&client_id=${clientId('demo')}`;
  const { ip } = await lab.addPod({ name: 'dual', labels: { aadpodidbinding: 'demo' } });
  const report = (...ips: readonly string[]): Promise<unknown> => {
    const podIPs = ips.map((each) => ({ ip: each }));
    return lab.kube.patch('Pod', 'dual', { status: { podIP: ips[0], podIPs } }, { subresource: 'status' });
  };
  t.equal(await appIdOf('dual', own), clientId('demo'));
  await report('fd00:98::10');
  await eventually(
    'an address that is reported no more is nobody',
    async () => (await appIdOf('dual', own)) === 404,
  );
  await report('fd00:98::10', ip);
  await eventually('the second counts, too', async () => (await appIdOf('dual', own)) === clientId('demo'));
  t.equal(await appIdOf('demo', own), clientId('demo'));
});
