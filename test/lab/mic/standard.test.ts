import t from 'tap';
import { eventually } from '../eventually.ts';
import { sampleIdentity } from '../imds/token.ts';
import { unavailable } from '../namespaces.ts';
import { bindingObject, identityObject } from '../objects.ts';
import * as scene from './scene.ts';

/** What the original's end-to-end tests promise, with MIC, the agent, ARM and IMDS as processes: one lab for all. */
const skip = unavailable() ?? false;
let all: scene.MicScene;

t.before(async () => {
  if (skip) return;
  const flags = { 'immutable-user-msis': sampleIdentity('immutable').clientId.toUpperCase() };
  all = await scene.micScene(t, { flags: { ...flags, 'identity-assignment-reconcile-interval': '10s' } });
});

t.test('a pod with a binding gets the token, by no id and by its own, and no other', { skip }, async (t) => {
  const { lab } = all;
  await scene.bind(all, 'single', 'wrong');
  await scene.addPod(lab, 'single');
  t.equal(await scene.tokenOf(lab, 'single'), 'single');
  t.equal(await scene.tokenOf(lab, 'single', sampleIdentity('single').clientId), 'single');
  t.match(await scene.tokenOf(lab, 'single', sampleIdentity('wrong').clientId), /^400 Identity not found/);
  const binding = await lab.kube.get('AzureIdentityBinding', 'single');
  const about = { kind: 'AzureIdentityBinding', uid: binding?.metadata.uid, namespace: 'default' };
  const told = await eventually('the binding is told of it, where kubectl describe looks', async () =>
    (await lab.kube.list('Event')).find(({ reason }) => reason === 'binding applied'),
  );
  t.match(told, { type: 'Normal', involvedObject: about, message: /applied on node node1 for pod default/ });
});

t.test(
  "when the pod goes, its assignment and the VM's identity go, and what is not MIC's stays",
  { skip },
  async (t) => {
    const { lab, arm } = all;
    t.same(await scene.on(arm, 'vm'), { type: 'SystemAssigned, UserAssigned', names: ['foreign', 'single'] });
    await lab.removePod('single');
    await scene.assigned(lab, ['single'], []);
    t.same(await scene.on(arm, 'vm'), { type: 'SystemAssigned, UserAssigned', names: ['foreign'] });
  },
);

t.test('without its AzureIdentity or its binding a pod gets nothing any more', { skip }, async (t) => {
  const { lab } = all;
  await scene.bind(all, 'bound', 'unbound');
  for (const name of ['bound', 'unbound']) {
    await scene.addPod(lab, name);
    t.equal(await scene.tokenOf(lab, name), name);
  }
  await lab.kube.delete('AzureIdentityBinding', 'unbound');
  await lab.kube.delete('AzureIdentity', 'bound');
  await scene.assigned(lab, ['bound', 'unbound'], []);
  t.match(
    await scene.tokenOf(lab, 'unbound', sampleIdentity('unbound').clientId),
    /^404 The identity is not there yet/,
  );
});

t.test('an AzureIdentity that is changed in place gives the new identity', { skip }, async (t) => {
  const { lab, arm } = all;
  await scene.bind(all, 'edited');
  await scene.create(arm, 'newer');
  await scene.addPod(lab, 'edited');
  t.equal(await scene.tokenOf(lab, 'edited'), 'edited');
  await lab.kube.apply(identityObject('edited', 'default', sampleIdentity('newer')));
  await eventually('the new one serves', async () => (await scene.tokenOf(lab, 'edited')) === 'newer');
  await eventually(
    'the old one is taken off',
    async () => !(await scene.on(arm, 'vm')).names.includes('edited'),
  );
});

t.test('of several identities those that are left go on working', { skip }, async (t) => {
  const { lab } = all;
  await scene.bind(all, 'many-1', 'many-2', 'many-3');
  for (const name of ['many-1', 'many-2', 'many-3'])
    await lab.kube.apply(bindingObject(name, 'default', name, 'many'));
  await scene.addPod(lab, 'many');
  await scene.assigned(
    lab,
    ['many'],
    ['many many-1 Assigned', 'many many-2 Assigned', 'many many-3 Assigned'],
  );
  await lab.kube.delete('AzureIdentity', 'many-2');
  await scene.assigned(lab, ['many'], ['many many-1 Assigned', 'many many-3 Assigned']);
  for (const name of ['many-1', 'many-3'])
    t.equal(await scene.tokenOf(lab, 'many', sampleIdentity(name).clientId), name);
});

t.test('a pod that gets another label gets what that binds', { skip }, async (t) => {
  const { lab } = all;
  await scene.bind(all, 'before', 'after');
  await scene.addPod(lab, 'moving', 'before');
  t.equal(await scene.tokenOf(lab, 'moving'), 'before');
  await lab.kube.patch('Pod', 'moving', { metadata: { labels: { aadpodidbinding: 'after' } } });
  await scene.assigned(lab, ['moving'], ['moving after Assigned']);
  t.equal(await scene.tokenOf(lab, 'moving'), 'after');
});

t.test(
  'of a batch with identities that do not exist the valid one is assigned, what was there stays',
  { skip },
  async (t) => {
    const { lab, arm } = all;
    await scene.bind(all, 'kept', 'valid');
    await scene.addPod(lab, 'kept');
    t.equal(await scene.tokenOf(lab, 'kept'), 'kept');
    await scene.declare(lab, 'missing-1', 'missing-2');
    for (const name of ['valid', 'missing-1', 'missing-2']) await scene.addPod(lab, name);
    const pods = ['kept', 'valid', 'missing-1', 'missing-2'];
    await scene.assigned(lab, pods, [
      ...['kept kept Assigned', 'valid valid Assigned'],
      ...['missing-1 missing-1 Created', 'missing-2 missing-2 Created'],
    ]);
    t.equal(await scene.tokenOf(lab, 'kept'), 'kept');
    t.equal(await scene.tokenOf(lab, 'valid'), 'valid');
    const told = await eventually('the pod is told', async () =>
      (await lab.kube.list('Event')).find(({ involvedObject }) => {
        const { kind, name } = involvedObject as { kind: string; name: string };
        return kind === 'Pod' && name === 'missing-1';
      }),
    );
    t.match(told, { type: 'Warning', reason: 'binding apply error', message: /FailedIdentityOperation/ });
    await scene.create(arm, 'missing-1', 'missing-2');
  },
);

t.test('of two identities with one name, that of the first namespace is assigned', { skip }, async (t) => {
  const { lab, arm } = all;
  await scene.create(arm, 'twin-a', 'twin-b');
  for (const [namespace, azure] of [
    ['b-side', 'twin-b'],
    ['a-side', 'twin-a'],
  ] as const) {
    await lab.kube.apply(identityObject('twin', namespace, sampleIdentity(azure)));
    await lab.kube.apply(bindingObject('twin', namespace, 'twin', 'twin'));
  }
  await scene.addPod(lab, 'twin');
  await scene.assigned(lab, ['twin'], ['twin twin Assigned']);
  t.equal(await scene.tokenOf(lab, 'twin'), 'twin-a');
});

t.test('an identity stays on a scale set while a pod on another of its nodes has it', { skip }, async (t) => {
  const { lab, arm } = all;
  await scene.bind(all, 'shared');
  await scene.addFarPod(lab, 'shared-0', 'pool000000', 'shared');
  await scene.addFarPod(lab, 'shared-1', 'pool000001', 'shared');
  await scene.assigned(
    lab,
    ['shared-0', 'shared-1'],
    ['shared-0 shared Assigned', 'shared-1 shared Assigned'],
  );
  await scene.deletePod(lab, 'shared-0');
  await scene.assigned(lab, ['shared-0', 'shared-1'], ['shared-1 shared Assigned']);
  t.same((await scene.on(arm, 'pool')).names, ['shared']);
});

t.test('what others take off a machine is put back', { skip }, async (t) => {
  const { lab, arm } = all;
  await scene.refit(arm, 'pool');
  t.same((await scene.on(arm, 'pool')).names, []);
  await eventually('it is back', async () => (await scene.on(arm, 'pool')).names.includes('shared'));
  t.same(await scene.assignments(lab, 'shared-1'), ['shared-1 shared Assigned']);
});

t.test('when a node vanishes its assignments go, and its scale set is cleaned', { skip }, async (t) => {
  const { lab, arm } = all;
  await lab.kube.delete('Node', 'pool000001');
  await scene.deletePod(lab, 'shared-1');
  await scene.assigned(lab, ['shared-1'], []);
  t.same((await scene.on(arm, 'pool')).names, []);
});

t.test('an identity that others took off already can still be let go', { skip }, async (t) => {
  const { lab, arm } = all;
  await scene.bind(all, 'stripped');
  await scene.addFarPod(lab, 'stripped', 'pool000000', 'stripped');
  await scene.assigned(lab, ['stripped'], ['stripped stripped Assigned']);
  await scene.refit(arm, 'pool');
  await scene.deletePod(lab, 'stripped');
  await scene.assigned(lab, ['stripped'], []);
  t.same((await scene.on(arm, 'pool')).type, 'None');
});

t.test('an immutable identity stays on its machine when its pod goes', { skip }, async (t) => {
  const { lab, arm } = all;
  await scene.bind(all, 'immutable');
  await scene.addFarPod(lab, 'immutable', 'pool000000', 'immutable');
  await scene.assigned(lab, ['immutable'], ['immutable immutable Assigned']);
  await scene.deletePod(lab, 'immutable');
  await scene.assigned(lab, ['immutable'], []);
  t.same((await scene.on(arm, 'pool')).names, ['immutable']);
});
