import t from 'tap';
import type { Arm } from '../../lib/assign/arm.ts';
import { AppError } from '../../lib/model/errors.ts';
import { micOn, Stage } from './apply-rig.ts';
import { aMicPod, armId } from './making.ts';

/** What keeps a whole machine waiting, as those see it who wait. */
const forbidden = "Azure Resource Manager answered 403 AuthorizationFailed to the GET of scale set 'pool'";

/** Like the stage's ARM, but that it refuses to talk about the machine while `isClosed`. */
function guarded(stage: Stage, isClosed: () => boolean): Arm {
  return {
    identitiesOf: (machine) =>
      isClosed()
        ? Promise.reject(new AppError('arm-refused', forbidden, { status: 403 }))
        : stage.arm.identitiesOf(machine),
    patch: (...sent) => stage.arm.patch(...sent),
  };
}

t.test('a right that MIC lacks is told on the pods that wait and on their bindings', async (t) => {
  const stage = new Stage();
  const node = await stage.scaleSet('pool');
  stage.bind('one', 'two');
  stage.pod('one', node);
  const mic = micOn(t, stage, { arm: guarded(stage, () => isClosed) });
  let isClosed = false;
  await mic.run(0);
  t.same(stage.told(), ['binding applied AzureIdentityBinding one-binding']);
  stage.events.length = 0;
  isClosed = true;
  stage.pod('two', node);
  await mic.run(0);
  t.same(stage.told().sort(), [
    'binding apply error AzureIdentityBinding two-binding',
    'binding apply error Pod two',
  ]);
  for (const { type, message } of stage.events) {
    t.equal(type, 'Warning');
    t.equal(
      message,
      `AzureIdentity apps/two is not assigned to scale set pool; next try in 5 s. ${forbidden}`,
    );
  }
  isClosed = false;
  await mic.run(10_000);
  t.equal(stage.stateOf('two'), 'Assigned');
});

t.test('a machine that is not there is told, with where it was looked for', async (t) => {
  const stage = new Stage();
  stage.world.nodes.set('node1', '');
  stage.bind('one');
  stage.pod('one', 'node1');
  await micOn(t, stage).run(0);
  t.match(stage.events[0]?.message, /to VM node1; .* there is no such machine in resource group group$/);
});

t.test('of a hundred pods that wait for one machine twenty are told, of every namespace some', async (t) => {
  const stage = new Stage();
  const node = await stage.scaleSet('pool');
  stage.bind('one');
  for (let at = 0; at < 100; at++) stage.pod(`pod-${at}`, node, 'one');
  const other = {
    namespace: 'shop',
    name: 'lonely',
    uid: 'uid-lonely',
    node,
    labels: { aadpodidbinding: 'one' },
  };
  stage.world.put(stage.world.pods, aMicPod(other));
  const mic = micOn(t, stage, { arm: guarded(stage, () => true) });
  await mic.run(0);
  t.equal(stage.events.filter(({ about }) => about.kind === 'Pod').length, 20);
  t.equal(stage.events.length, 21, 'and the binding, once');
  t.ok(stage.events.some(({ about }) => about.namespace === 'shop'));
});

t.test("an end that waits is nobody's trouble", async (t) => {
  const stage = new Stage();
  const node = await stage.scaleSet('pool');
  stage.bind('one');
  stage.pod('one', node);
  let isClosed = false;
  const mic = micOn(t, stage, { arm: guarded(stage, () => isClosed) });
  await mic.run(0);
  isClosed = true;
  stage.endPod('one');
  await mic.run(60_000);
  t.same(stage.told(), ['binding applied AzureIdentityBinding one-binding']);
});

t.test('a deleted identity that blocks its scale set is taken off with what others wait for', async (t) => {
  const stage = new Stage();
  const node = await stage.scaleSet('pool');
  stage.bind('dead', 'new');
  stage.pod('dead', node);
  const mic = micOn(t, stage);
  await mic.run(0);
  stage.arm.azure.deadBlocks = true;
  await stage.arm.azure.deleteIdentities(armId('dead'));
  stage.pod('new', node);
  await mic.run(0);
  t.equal(stage.stateOf('new'), 'Assigned');
  t.same(stage.on('pool'), ['new']);
});

t.test(
  "one that is not MIC's is told to those who wait, and they are helped soon after it is off",
  async (t) => {
    const stage = new Stage();
    const node = await stage.scaleSet('pool');
    const pool = { kind: 'vmss', subscription: 'sub', resourceGroup: 'group', name: 'pool' } as const;
    stage.createIdentity('foreign');
    await stage.arm.azure.addMachine({ ...pool, userAssigned: [armId('foreign')] });
    stage.arm.azure.deadBlocks = true;
    await stage.arm.azure.deleteIdentities(armId('foreign'));
    stage.bind('one', 'two', 'three');
    for (const name of ['one', 'two', 'three']) stage.pod(name, node);
    const mic = micOn(t, stage);
    await mic.run(3_600_000);
    t.ok(stage.arm.patches.length <= 20, `${stage.arm.patches.length} PATCHes in an hour`);
    t.notMatch(JSON.stringify(stage.arm.patches), 'foreign', 'which MIC does not touch');
    const told = stage.events.find(({ about }) => about.kind === 'Pod' && about.name === 'two');
    t.match(told?.message, "Resource 'another identity of the machine' was not found");
    t.notMatch(JSON.stringify(stage.events), 'foreign', 'nor is it named to other tenants');
    const logged = mic.log.lines.find(({ message }) => message === 'machine not settled');
    t.match(logged?.fields.why, `Resource '${armId('foreign').toLowerCase()}' was not found`);
    await stage.arm.azure.addMachine(pool);
    await mic.run(300_000);
    t.same(stage.states(), { Assigned: 3 });
  },
);

t.test('of several that ARM names in one refusal each is told of its own', async (t) => {
  const stage = new Stage();
  const node = await stage.scaleSet('pool');
  for (const name of ['one', 'two']) {
    stage.bind(name);
    stage.createIdentity(name, false);
    stage.pod(name, node);
  }
  const mic = micOn(t, stage);
  await mic.run(0);
  const said = (name: string): string[] =>
    stage.events.filter(({ about }) => about.name === name).map(({ message }) => message);
  t.equal(said('two').length, 2, 'on identity and pod');
  for (const message of said('two')) t.match(message, "linked scope(s) 'another identity of the machine,");
  t.notMatch(JSON.stringify(said('two')), armId('one').toLowerCase());
  for (const message of said('one')) t.match(message, `linked scope(s) '${armId('one').toLowerCase()},`);
  const logged = mic.log.lines.filter(({ message }) => message === 'identity refused');
  t.equal(logged.length, 2);
  for (const { fields } of logged)
    t.ok(String(fields.why).includes(armId('one').toLowerCase()), 'the log has all');
});

t.test('an object that has to wait longer is not told of the next look at its machine', async (t) => {
  const stage = new Stage();
  const node = await stage.scaleSet('pool');
  stage.bind('bad', 'new');
  stage.createIdentity('bad', false);
  stage.pod('bad', node);
  let isClosed = false;
  const mic = micOn(t, stage, { arm: guarded(stage, () => isClosed) });
  await mic.run(0);
  stage.events.length = 0;
  isClosed = true;
  stage.pod('new', node);
  await mic.run(0);
  t.same(stage.told().sort(), [
    'binding apply error AzureIdentityBinding new-binding',
    'binding apply error Pod new',
  ]);
});
