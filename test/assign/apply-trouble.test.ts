import t from 'tap';
import type { Arm } from '../../lib/assign/arm.ts';
import { AppError } from '../../lib/model/errors.ts';
import { micOn, repairMs, Stage } from './apply-rig.ts';
import { armId } from './making.ts';

const minute = 60_000;
const hour = 60 * minute;

/** Scale set `pool` with a pod for each of `count` identities, `id-0` and so on. */
async function crowd(count: number): Promise<{ stage: Stage; names: string[] }> {
  const stage = new Stage();
  const node = await stage.scaleSet('pool');
  const names = Array.from({ length: count }, (_, i) => `id-${i}`);
  stage.bind(...names);
  for (const name of names) stage.pod(name, node);
  return { stage, names };
}

t.test('one identity of a hundred that may not be assigned keeps only its own pod waiting', async (t) => {
  const { stage } = await crowd(100);
  stage.createIdentity('id-42', false);
  const mic = micOn(t, stage);
  await mic.run(0);
  t.same(stage.states(), { Assigned: 99, Created: 1 });
  t.equal(stage.stateOf('id-42'), 'Created');
  t.equal(stage.on('pool').length, 99);
  t.ok(stage.arm.patches.length <= 3, `${stage.arm.patches.length} PATCHes`);
  const errors = stage.events.filter(({ type }) => type === 'Warning');
  t.same(errors.map(({ about }) => `${about.kind} ${about.name}`).sort(), [
    'AzureIdentity id-42',
    'AzureIdentityBinding id-42-binding',
    'Pod id-42',
  ]);
  for (const { message, reason } of errors) {
    t.equal(reason, 'binding apply error');
    t.match(
      message,
      `Azure does not assign AzureIdentity apps/id-42 (${armId('id-42').toLowerCase()}) to scale set pool`,
    );
    t.match(message, /next try in 1 min\. LinkedAuthorizationFailed: The client .* does not have permission/);
  }
});

t.test('rests before another try as long as is configured, once ARM has refused one', async (t) => {
  const { stage } = await crowd(3);
  stage.createIdentity('id-1', false);
  const mic = micOn(t, stage, { settings: { retryMs: 30_000 } });
  const tries: number[] = [];
  for (const ms of [0, 29_000, 1_000, 30_000]) {
    await mic.run(ms);
    tries.push(stage.arm.patches.length);
  }
  t.same(tries, [1, 1, 2, 3]);
  t.same(stage.states(), { Assigned: 2, Created: 1 });
});

t.test('a refused identity is tried less and less often, and assigned when Azure takes it', async (t) => {
  const { stage } = await crowd(3);
  stage.createIdentity('id-1', false);
  const mic = micOn(t, stage);
  await mic.run(4 * hour);
  const tries = stage.arm.patches.length - 2;
  t.ok(tries >= 9 && tries <= 11, `${tries} tries in four hours, an hour apart at last`);
  const looks = mic.asked.filter((each) => each === 'GET pool').length;
  t.ok(looks <= (4 * hour) / repairMs + tries + 2, `${looks} looks, hardly more than repairs take`);
  stage.createIdentity('id-1');
  await mic.run(hour);
  t.same(stage.states(), { Assigned: 3 });
});

t.test('who asks anew for a refused identity does not wait for the next try', async (t) => {
  const { stage } = await crowd(2);
  stage.createIdentity('id-1', false);
  const mic = micOn(t, stage);
  await mic.run(hour);
  stage.endPod('id-1');
  await mic.run(1_000);
  stage.createIdentity('id-1');
  stage.pod('id-1', 'pool000001');
  await mic.run(1_000);
  t.equal(stage.stateOf('id-1'), 'Assigned');
});

t.test(
  'a scale set that takes half an hour for a change holds up no other, nor its own other pods',
  async (t) => {
    const stage = new Stage();
    const [slow, quick] = [await stage.scaleSet('slow'), await stage.scaleSet('quick')];
    stage.bind('one', 'two', 'three');
    stage.pod('one', slow);
    const mic = micOn(t, stage);
    await mic.run(0);
    stage.arm.operationMs = 30 * minute;
    stage.pod('two', slow);
    await mic.run(1_000);
    t.equal(stage.stateOf('two'), 'Created');
    stage.arm.operationMs = 0;
    stage.pod('three', quick);
    stage.pod('again', slow, 'one');
    stage.pod('late', slow, 'three');
    await mic.run(1_000);
    t.equal(stage.stateOf('three'), 'Assigned', 'on the other scale set');
    t.equal(stage.stateOf('again', 'one'), 'Assigned', 'its identity is there already');
    t.equal(stage.stateOf('late', 'three'), 'Created');
    await mic.run(28 * minute);
    t.equal(stage.stateOf('two'), 'Created');
    t.equal(mic.asked.filter((each) => each === 'GET slow').length, 2, 'and nobody asks about it meanwhile');
    await mic.run(2 * minute);
    t.same(stage.states(), { Assigned: 5 });
  },
);

/** Like `arm`, but that some scale set's subscription has had enough, and wants an hour. */
function limiting(arm: Arm, name: string, isOver: () => boolean, retryAfter?: string): Arm {
  const error = () => new AppError('arm-throttled', 'later', { status: 429, retryAfter });
  return {
    identitiesOf: (machine) =>
      machine.name === name && !isOver() ? Promise.reject(error()) : arm.identitiesOf(machine),
    patch: (machine, ...sent) => arm.patch(machine, ...sent),
  };
}

for (const retryAfter of ['60', undefined]) {
  t.test(`an hour of 429 with Retry-After ${retryAfter} costs few calls, and ends by itself`, async (t) => {
    const stage = new Stage();
    const [limited, free] = [await stage.scaleSet('limited'), await stage.scaleSet('free')];
    stage.bind('one', 'two');
    stage.pod('one', limited);
    stage.pod('two', free);
    const over = stage.clock.now() + hour;
    const arm = limiting(stage.arm, 'limited', () => stage.clock.now() >= over, retryAfter);
    const mic = micOn(t, stage, { arm });
    await mic.run(1_000);
    t.equal(stage.stateOf('two'), 'Assigned');
    for (let i = 0; i < 60; i++) {
      stage.pod(`pod-${i}`, limited, 'one');
      await mic.run(minute);
    }
    const asked = mic.asked.filter((each) => each === 'GET limited').length;
    t.ok(asked >= 10 && asked <= 20, `${asked} calls, though pods come all the time`);
    await mic.run(5 * minute);
    t.same(stage.states(), { Assigned: 62 });
  });
}

t.test('a machine that does not exist does not keep ARM busy', async (t) => {
  const stage = new Stage();
  stage.world.nodes.set('node1', '');
  stage.bind('one');
  stage.pod('one', 'node1');
  const mic = micOn(t, stage);
  await mic.run(hour);
  t.ok(mic.asked.length <= 20, `${mic.asked.length} calls`);
  t.match(
    mic.log.lines.find(({ message }) => message === 'machine not settled'),
    {
      fields: { why: 'there is no such machine' },
    },
  );
  await stage.arm.azure.addMachine({
    kind: 'vm',
    subscription: 'sub',
    resourceGroup: 'group',
    name: 'node1',
  });
  await mic.run(5 * minute);
  t.equal(stage.stateOf('one'), 'Assigned');
});

t.test('an identity that was deleted and created anew in Azure is put on anew', async (t) => {
  const { stage } = await crowd(2);
  const mic = micOn(t, stage);
  await mic.run(0);
  await stage.arm.azure.deleteIdentities(armId('id-1'));
  await mic.run(repairMs);
  t.same(stage.on('pool'), ['id-0'], 'what Azure has forgotten is not kept');
  stage.createIdentity('id-1');
  await mic.run(hour);
  t.same(stage.on('pool'), ['id-0', 'id-1']);
  t.same(stage.states(), { Assigned: 2 });
});

t.test('one that was created anew before anybody noticed is put on anew at the next repair', async (t) => {
  const { stage } = await crowd(2);
  const mic = micOn(t, stage);
  await mic.run(0);
  await stage.arm.azure.deleteIdentities(armId('id-1'));
  stage.createIdentity('id-1');
  stage.arm.patches.length = 0;
  await mic.run(repairMs);
  const sent = stage.arm.patches.map(({ patch }) => patch.identity.userAssignedIdentities);
  t.same(sent, [{ [armId('id-1').toLowerCase()]: null }, { [armId('id-1').toLowerCase()]: {} }]);
  await mic.run(2 * repairMs);
  t.equal(stage.arm.patches.length, 2, 'once');
  t.same(stage.states(), { Assigned: 2 });
});

t.test('an object stands for its identity until ARM has taken that off', async (t) => {
  const { stage } = await crowd(2);
  let broken = false;
  const arm: Arm = {
    identitiesOf: (machine) => stage.arm.identitiesOf(machine),
    patch: (...sent) =>
      broken ? Promise.reject(new AppError('arm-unreachable', 'no answer')) : stage.arm.patch(...sent),
  };
  const mic = micOn(t, stage, { arm });
  await mic.run(0);
  broken = true;
  stage.endPod('id-1');
  await mic.run(10 * minute);
  t.equal(stage.stateOf('id-1'), 'Unassigned');
  broken = false;
  await mic.run(5 * minute);
  t.equal(stage.stateOf('id-1'), undefined);
  t.same(stage.on('pool'), ['id-0']);
});
