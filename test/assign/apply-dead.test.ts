import t from 'tap';
import { micOn, Stage } from './apply-rig.ts';
import { aMicPod, armId, aSeenBinding, aSeenIdentity } from './making.ts';

const minute = 60_000;

/** Scale set `pool`, which Azure changes no more while an identity that it has deleted stays there; `dead` is such a one. */
async function blocked(t: Parameters<typeof micOn>[0], graceMs = 0) {
  const stage = new Stage({ graceMs });
  const node = await stage.scaleSet('pool');
  const mic = micOn(t, stage);
  stage.bind('dead');
  stage.pod('dead', node);
  await mic.run(0);
  stage.arm.azure.deadBlocks = true;
  await stage.arm.azure.deleteIdentities(armId('dead'));
  stage.arm.patches.length = 0;
  return { stage, node, mic };
}

t.test('one that is still bound goes before more than one PATCH of others', async (t) => {
  const { stage, node, mic } = await blocked(t);
  const names = Array.from({ length: 160 }, (_, at) => `id-${at}`);
  stage.bind(...names);
  for (const name of names) stage.pod(name, node);
  await mic.run(0);
  t.equal(names.filter((name) => stage.stateOf(name) === 'Assigned').length, 160);
  t.equal(stage.on('pool').length, 160);
  t.same(stage.arm.patches[0]?.patch.identity, { type: 'None' }, 'the first takes it off');
});

t.test('one that ARM does not take off is asked for once a round, and the others are tried', async (t) => {
  const { stage, node, mic } = await blocked(t);
  stage.arm.azure.deadBlocks = false;
  stage.bind('one');
  stage.pod('one', node);
  stage.arm.failures.push({ code: 'BadRequest', message: 'It stays.' });
  await mic.run(0);
  t.equal(stage.stateOf('one'), 'Assigned');
  const offs = stage.arm.patches.filter(({ patch }) => patch.identity.type === 'None');
  t.equal(offs.length, 1);
  t.equal(stage.arm.patches.length, 2);
});

t.test('one that no pod needs any more does not wait out its grace', async (t) => {
  const { stage, node, mic } = await blocked(t, 24 * 60 * minute);
  stage.endPod('dead');
  await mic.run(1_000);
  t.equal(stage.arm.patches.length, 0, 'while nobody waits, ARM is not asked');
  stage.bind('one');
  stage.pod('one', node);
  await mic.run(0);
  t.equal(stage.stateOf('one'), 'Assigned');
  t.same(stage.on('pool'), ['one']);
  t.equal(stage.stateOf('dead'), 'Unassigned', 'its object stays for the grace');
  await mic.run(24 * 60 * minute);
  t.equal(stage.stateOf('dead'), undefined);
  t.equal(stage.arm.patches.length, 2);
});

t.test('a living one is left for its grace, whatever else is changed', async (t) => {
  const stage = new Stage({ graceMs: 5 * minute });
  const node = await stage.scaleSet('pool');
  const mic = micOn(t, stage);
  stage.bind('one', 'two');
  stage.pod('one', node);
  await mic.run(0);
  stage.endPod('one');
  stage.pod('two', node);
  await mic.run(minute);
  t.same(stage.on('pool'), ['one', 'two']);
  await mic.run(5 * minute);
  t.same(stage.on('pool'), ['two']);
});

t.test('one of a namespace that has to wait with new ones blocks nobody meanwhile', async (t) => {
  const stage = new Stage();
  const node = await stage.scaleSet('pool');
  const mic = micOn(t, stage);
  const claim = (name: string): void => {
    const { world } = stage;
    const evil = { namespace: 'evil', name };
    world.put(world.identities, aSeenIdentity({ ...evil, resourceId: armId(name) }));
    world.put(world.bindings, aSeenBinding({ ...evil, azureIdentity: name, selector: name }));
    world.put(world.pods, aMicPod({ ...evil, uid: `uid-${name}`, node, labels: { aadpodidbinding: name } }));
  };
  stage.createIdentity('dead');
  for (const name of ['dead', 'wrong-1', 'wrong-2']) {
    claim(name);
    await mic.run(0);
  }
  stage.createIdentity('right');
  claim('right');
  stage.arm.azure.deadBlocks = true;
  await stage.arm.azure.deleteIdentities(armId('dead'));
  stage.bind('one');
  stage.pod('one', node);
  await mic.run(0);
  t.same(stage.on('pool'), ['one'], 'the right one of that namespace waits');
});
