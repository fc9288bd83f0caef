import t from 'tap';
import type { Agent } from '../agent.ts';
import { eventually } from '../eventually.ts';
import { claimsOf, sampleIdentity } from '../imds/token.ts';
import type { Lab } from '../lab.ts';
import { unavailable } from '../namespaces.ts';
import { ask, askers, tokenUrl } from './scene.ts';
import { assign, clientIdOf, metric, pair, standardAgent, standardLab } from './standard-scene.ts';

/** Standard mode, one agent for all: a curl that must wait would wait 60 s, and its own patience is 12. */
const skip = unavailable() ?? false;
let lab: Lab;
let agent: Agent;

t.before(async () => {
  if (skip) return;
  const unlabelled = ['moved', 'namesake', 'over', 'plain'].map((name) => ({ name, labels: {} }));
  const mic = { name: 'mic', labels: { app: 'mic', component: 'mic' } };
  const team = { name: 'team', namespace: 'team' };
  const pods = [{ name: 'app' }, { name: 'old' }, { name: 'late' }, team, mic, ...unlabelled];
  lab = await standardLab(t, pods, ['app', 'old', 'late', 'shared', 'other']);
  agent = await standardAgent(lab);
});

t.test(
  'a pod gets what MIC has assigned to it, also without a state as old MICs left it',
  { skip },
  async (t) => {
    await assign(lab, { name: 'app' }, { ...pair('app'), state: 'Assigned' });
    await assign(lab, { name: 'old' }, { ...pair('old'), state: '' });
    for (const name of ['app', 'old']) {
      const { status, body } = await ask(lab, name);
      t.equal(status, 200);
      t.equal(claimsOf(String(body.access_token)).appid, clientIdOf(name));
    }
  },
);

t.test('an assignment for another node, or one that is being taken away, is none', { skip }, async (t) => {
  await assign(lab, { name: 'moved' }, { ...pair('other'), state: 'Assigned', node: 'node2' });
  await assign(lab, { name: 'over' }, { ...pair('other'), state: 'Unassigned' });
  await assign(lab, { name: 'namesake' }, { ...pair('other'), state: 'Assigned' });
  t.equal((await ask(lab, 'namesake')).status, 200, 'all three have been seen');
  await lab.kube.patch('AzureAssignedIdentity', 'namesake-default-other', { spec: { nodename: 'node2' } });
  await eventually('a label alone makes no assignment', async () => {
    return (await ask(lab, 'namesake')).status === 400;
  });
  for (const name of ['moved', 'over']) {
    t.match(await ask(lab, name), { status: 400, body: { error_description: /no label aadpodidbinding/ } });
  }
});

t.test('a request that waits is answered as soon as MIC says Assigned, not before', { skip }, async (t) => {
  const { identity, binding } = pair('late');
  const waiting = ask(lab, 'late');
  await eventually('it waits for a binding', async () => {
    return (await metric(lab, agent, 'podidentity_waiting_requests')) === 1;
  });
  await lab.kube.apply(binding);
  await assign(lab, { name: 'late' }, { identity, binding, state: 'Created' });
  const foreign = await ask(lab, 'late', `${tokenUrl}&client_id=${clientIdOf('app')}`);
  t.match(foreign, { status: 400, body: { error_description: /^Identity not found\./ } });
  t.equal(await metric(lab, agent, 'podidentity_waiting_requests'), 1, 'Created is not enough');
  await assign(lab, { name: 'late' }, { identity, binding, state: 'Assigned' });
  const { status, body } = await waiting;
  t.equal(status, 200);
  t.equal(claimsOf(String(body.access_token)).appid, clientIdOf('late'));
});

t.test('what can never come is refused at once: no label, a foreign identity', { skip }, async (t) => {
  t.match(await ask(lab, 'plain'), { status: 400, body: { error_description: /no label aadpodidbinding/ } });
  const foreign = await ask(lab, 'app', `${tokenUrl}&client_id=${clientIdOf('other')}`);
  t.match(foreign, { status: 400, body: { error_description: /is bound to no identity with client_id/ } });
  const byArm = await ask(lab, 'app', `${tokenUrl}&mi_res_id=${sampleIdentity('other').resourceId}`);
  t.match(byArm, { status: 400, body: { error_description: /is bound to no identity with resource_id/ } });
});

t.test("an identity serves other namespaces' pods unless it says otherwise", { skip }, async (t) => {
  const { identity, binding } = pair('shared');
  await assign(lab, { name: 'team', namespace: 'team' }, { identity, binding, state: 'Assigned' });
  t.equal((await ask(lab, 'team')).status, 200);
  const annotations = { 'aadpodidentity.k8s.io/Behavior': 'namespaced' };
  const own = { ...identity, metadata: { ...identity.metadata, annotations } };
  await assign(lab, { name: 'team', namespace: 'team' }, { identity: own, binding, state: 'Assigned' });
  const refused = await eventually('the annotation counts', async () => {
    const reply = await ask(lab, 'team');
    return reply.status === 400 ? reply : undefined;
  });
  t.match(refused.body.error_description, /Behavior: namespaced and is of another namespace/);
});

t.test('spec.allowedNamespaces keeps an identity to the namespaces that it lists', { skip }, async (t) => {
  const { identity, binding } = pair('shared');
  const allow = async (...allowedNamespaces: readonly string[]): Promise<void> => {
    const listed = { ...identity, spec: { ...identity.spec, allowedNamespaces } };
    await lab.kube.delete('AzureAssignedIdentity', 'team-team-shared');
    await assign(lab, { name: 'team', namespace: 'team' }, { identity: listed, binding, state: 'Assigned' });
  };
  await allow('default', 'elsewhere');
  await eventually('the pod is refused by the list', async () => {
    const { status, body } = await ask(lab, 'team');
    return status === 400 && /spec\.allowedNamespaces/.test(String(body.error_description));
  });
  await allow('default', 'team');
  await eventually('the pod is allowed', async () => (await ask(lab, 'team')).status === 200);
  t.pass();
});

t.test("MIC's own pod passes as the node, and only in MIC's namespace", { skip }, async (t) => {
  const { status, body } = await ask(lab, 'mic');
  t.equal(status, 200);
  t.match(claimsOf(String(body.access_token)).xms_mirid, /Microsoft\.Compute/);
  await lab.addPod({ name: 'mimic', namespace: 'team', labels: { app: 'mic', component: 'mic' } });
  t.equal((await ask(lab, 'mimic')).status, 400);
  t.equal((await askers(lab)).length, 1);
});
