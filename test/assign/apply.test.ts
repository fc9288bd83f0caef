import t from 'tap';
import { AppError } from '../../lib/model/errors.ts';
import { settle } from '../fakes/clock.ts';
import { micOn, repairMs, Stage } from './apply-rig.ts';
import { armId } from './making.ts';

const minute = 60_000;

t.test('a pod gets its identity in one GET and one PATCH, and its binding is told of it', async (t) => {
  const stage = new Stage();
  const node = await stage.scaleSet('pool');
  stage.bind('one', 'two');
  for (const name of ['one', 'two']) stage.pod(name, node);
  stage.pod('more', node, 'one');
  const mic = micOn(t, stage);
  await mic.run(0);
  t.same(stage.states(), { Assigned: 3 });
  t.same(stage.on('pool'), ['one', 'two']);
  t.same(mic.asked, ['GET pool', 'PATCH pool']);
  t.same(mic.writes, { create: 3, state: 3 });
  t.same(stage.told().sort(), [
    'binding applied AzureIdentityBinding one-binding',
    'binding applied AzureIdentityBinding one-binding',
    'binding applied AzureIdentityBinding two-binding',
  ]);
});

t.test('when its pod goes the identity is taken off, then the object goes', async (t) => {
  const stage = new Stage();
  const node = await stage.scaleSet('pool');
  stage.bind('one', 'two');
  for (const name of ['one', 'two']) stage.pod(name, node);
  const mic = micOn(t, stage);
  await mic.run(0);
  stage.endPod('one');
  await mic.run(0);
  t.same(stage.on('pool'), ['two']);
  t.same(stage.states(), { Assigned: 1 });
  t.equal(mic.objects.written.at(-1), 'delete default/one-apps-one');
  t.match(stage.events.at(-1), {
    reason: 'binding removed',
    message: 'Binding apps/one-binding removed from node pool000001 for pod apps/one',
  });
});

t.test('a plan that does not know of a write yet is not followed a second time', async (t) => {
  const stage = new Stage();
  const node = await stage.scaleSet('pool');
  stage.bind('one');
  stage.pod('one', node);
  const mic = micOn(t, stage);
  const before = stage.world.snapshot();
  mic.sync(before);
  await settle();
  const created = stage.world.snapshot();
  mic.sync(before);
  await settle();
  t.same(mic.objects.written, ['create default/one-apps-one']);
  for (let i = 0; i < 3; i++) {
    mic.sync(created);
    await settle();
  }
  t.same(mic.asked, ['GET pool', 'PATCH pool']);
  t.same(mic.objects.written.slice(1), ['Assigned default/one-apps-one']);
});

t.test('what others took off a machine is put back at the next repair, and nothing else is', async (t) => {
  const stage = new Stage();
  const node = await stage.scaleSet('pool');
  stage.bind('one', 'two');
  for (const name of ['one', 'two']) stage.pod(name, node);
  const mic = micOn(t, stage);
  await mic.run(0);
  await mic.run(repairMs);
  t.same(mic.asked, ['GET pool', 'PATCH pool', 'GET pool'], 'a look, and nothing to do');
  await stage.arm.azure.addMachine({
    ...{ kind: 'vmss', subscription: 'sub', resourceGroup: 'group', name: 'pool' },
    userAssigned: [armId('two'), armId('foreign')],
  });
  await mic.run(repairMs);
  t.same(stage.on('pool'), ['foreign', 'one', 'two']);
  t.same(stage.arm.patches.at(-1)?.patch.identity.userAssignedIdentities, {
    [armId('one').toLowerCase()]: {},
  });
  t.same(stage.states(), { Assigned: 2 }, 'and no pod had to wait');
});

t.test('ARM is left alone while what plans are made from is behind', async (t) => {
  const stage = new Stage();
  const node = await stage.scaleSet('pool');
  stage.bind('one');
  stage.pod('one', node);
  const mic = micOn(t, stage);
  mic.isFresh = false;
  await mic.run(minute);
  t.same(mic.asked, []);
  mic.isFresh = true;
  await mic.run(10_000);
  t.equal(stage.stateOf('one'), 'Assigned');
});

t.test('a write that is refused is tried again, later each time, told, and holds up no other', async (t) => {
  const stage = new Stage();
  const node = await stage.scaleSet('pool');
  stage.bind('one', 'two', 'three');
  for (const name of ['one', 'two', 'three']) stage.pod(name, node);
  const mic = micOn(t, stage);
  mic.objects.refused.add('default/one-apps-one');
  await mic.run(10 * minute);
  t.same(stage.states(), { Assigned: 2 });
  const failed = stage.events.filter(({ reason }) => reason === 'binding apply error');
  t.ok(failed.length >= 4 && failed.length <= 8, `${failed.length} tries in ten minutes`);
  t.match(failed[0], {
    about: { kind: 'AzureIdentityBinding', name: 'one-binding' },
    message: /webhook objects$/,
  });
  mic.objects.refused.clear();
  mic.objects.refused.add('default/two-apps-two');
  stage.endPod('two');
  await mic.run(6 * minute);
  t.equal(stage.stateOf('one'), 'Assigned');
  t.match(
    stage.events.find(({ reason }) => reason === 'status update error'),
    {
      about: { kind: 'AzureAssignedIdentity', name: 'two-apps-two' },
      message: /^State not changed to Unassigned: /,
    },
  );
});

t.test('writes at most as many objects at once as it may', async (t) => {
  const stage = new Stage();
  const node = await stage.scaleSet('pool');
  stage.bind('one');
  for (let i = 0; i < 30; i++) stage.pod(`pod-${i}`, node, 'one');
  const mic = micOn(t, stage, { settings: { batch: 4 } });
  await mic.run(0);
  t.same(stage.states(), { Assigned: 30 });
  t.equal(mic.objects.most, 4);
});

t.test('on a scale set that is gone, nothing is left to do but to delete the objects', async (t) => {
  const stage = new Stage();
  const node = await stage.scaleSet('pool');
  stage.bind('one');
  stage.pod('one', node);
  const mic = micOn(t, stage);
  await mic.run(0);
  stage.arm.azure.removeMachine(
    '/subscriptions/sub/resourceGroups/group/providers/Microsoft.Compute/virtualMachineScaleSets/pool',
  );
  stage.world.nodes.delete(node);
  stage.endPod('one');
  await mic.run(0);
  t.same(stage.states(), {});
});

t.test('told to end, it begins nothing more, and is waited for no longer than asked', async (t) => {
  const stage = new Stage();
  const node = await stage.scaleSet('pool');
  stage.bind('one');
  stage.pod('one', node);
  stage.arm.operationMs = minute;
  const hanging = {
    identitiesOf: () => new Promise<never>(() => undefined),
    patch: () => Promise.reject(new AppError('arm-unreachable', 'never asked')),
  };
  const [mic, stuck] = [micOn(t, stage), micOn(t, new Stage(), { arm: hanging })];
  await mic.run(0);
  t.same(mic.asked, ['GET pool', 'PATCH pool']);
  mic.stop();
  await mic.applier.ended(0);
  await stage.clock.advance(10 * minute);
  mic.sync();
  t.same(stage.states(), { Created: 1 }, 'the change was made, and is for the next MIC to see');
  t.same(stage.on('pool'), ['one']);
  stuck.stop();
  await stuck.applier.ended(0);
});

t.test('a grace goes on while no MIC runs, and the next one ends it in time', async (t) => {
  const stage = new Stage({ graceMs: 5 * minute });
  const node = await stage.scaleSet('pool');
  stage.bind('one');
  stage.pod('one', node);
  const first = micOn(t, stage);
  await first.run(0);
  stage.endPod('one');
  await first.run(minute);
  first.stop();
  await stage.clock.advance(3 * minute);
  const second = micOn(t, stage);
  await second.run(30_000);
  t.same(stage.on('pool'), ['one'], 'not before its time');
  t.equal(stage.stateOf('one'), 'Unassigned');
  await stage.clock.advance(minute);
  stage.world.nowMs = stage.clock.now();
  second.sync(stage.world.snapshot());
  await settle();
  t.same(stage.on('pool'), []);
  await second.run(0);
  t.same(stage.states(), {});
});
