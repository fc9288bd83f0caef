import t from 'tap';
import type { SeenBinding, SeenIdentity } from '../../lib/assign/snapshot.ts';
import { sampleIdentity } from '../lab/imds/token.ts';
import { micOn, Stage, type StageMic } from './apply-rig.ts';
import { aMicPod, armId, aSeenBinding, aSeenIdentity } from './making.ts';
import { planned, problems } from './scene.ts';

const minute = 60_000;

/** Scale set `pool`, pods of the honest namespace `apps`, and a tenant of namespace `evil` who invents what he likes. */
class Scene {
  readonly stage = new Stage();
  node = '';
  invented = 0;

  static async create(): Promise<Scene> {
    const scene = new Scene();
    scene.node = await scene.stage.scaleSet('pool');
    return scene;
  }

  /** Pods with an identity each that does not exist in Azure. Their names come first wherever anything is sorted. */
  invent(count: number): void {
    for (let i = 0; i < count; i++) {
      this.invented += 1;
      this.claim(`aaa-${this.invented}`);
    }
  }

  /** A pod of `evil` that is bound to an AzureIdentity of `evil`, which names this managed identity. */
  claim(name: string, clientId = sampleIdentity(name).clientId): void {
    const { world } = this.stage;
    const namespace = 'evil';
    const resourceId = armId(name);
    world.put(world.identities, aSeenIdentity({ namespace, name: `his-${name}`, clientId, resourceId }));
    const binding = { namespace, name, azureIdentity: `his-${name}`, selector: `evil-${name}` };
    world.put(world.bindings, aSeenBinding(binding));
    const labels = { aadpodidbinding: `evil-${name}` };
    world.put(world.pods, aMicPod({ namespace, name, uid: `uid-evil-${name}`, node: this.node, labels }));
  }

  /** A pod of `apps` whose identity exists; gives how long it waits for it, ms. */
  async honest(mic: StageMic, name: string): Promise<number> {
    const { stage } = this;
    stage.bind(name);
    stage.pod(name, this.node);
    const began = stage.clock.monotonic();
    while (stage.stateOf(name) !== 'Assigned' && stage.clock.monotonic() - began < minute)
      await mic.run(1_000);
    return stage.clock.monotonic() - began;
  }
}

t.test(
  'identities that do not exist keep those of another namespace waiting for a few seconds',
  async (t) => {
    const scene = await Scene.create();
    const mic = micOn(t, scene.stage);
    scene.invent(149);
    const waited = await scene.honest(mic, 'zebra');
    t.ok(waited <= 10_000, `${waited} ms`);
    await mic.run(5 * minute);
    scene.invent(300);
    const later = await scene.honest(mic, 'zulu');
    t.ok(later <= 10_000, `${later} ms`);
  },
);

t.test('whoever invents new ones all the time does not use up what ARM takes of us', async (t) => {
  const scene = await Scene.create();
  const mic = micOn(t, scene.stage);
  const waits: number[] = [];
  for (let minutes = 0; minutes < 20; minutes++) {
    scene.invent(10);
    waits.push(await scene.honest(mic, `z-${minutes}`));
    await mic.run(minute - (waits.at(-1) ?? 0));
  }
  t.ok(Math.max(...waits) <= 10_000, `${Math.max(...waits)} ms at most`);
  const tries = scene.stage.arm.patches.length - waits.length;
  t.ok(tries <= 120, `${tries} tries in 20 minutes for his ${scene.invented}`);
});

t.test('who names an identity of another namespace does not hold it up', async (t) => {
  const scene = await Scene.create();
  const mic = micOn(t, scene.stage);
  scene.invent(20);
  await mic.run(minute);
  scene.invent(20);
  scene.claim('zebra');
  const waited = await scene.honest(mic, 'zebra');
  t.ok(waited <= 10_000, `${waited} ms`);
});

t.test('a pod of a thousand bindings does not hold up the writes for others of its node', async (t) => {
  const scene = await Scene.create();
  const { stage, node } = scene;
  const mic = micOn(t, stage, { settings: { batch: 1 } });
  for (let i = 0; i < 200; i++) scene.claim(`aaa-${i}`);
  stage.bind('zebra');
  stage.pod('zebra', node);
  mic.sync();
  await stage.clock.advance(0);
  const at = mic.objects.written.findIndex((line) => line.startsWith('create default/zebra'));
  t.ok(at >= 0 && at <= 1, `it is write ${at + 1}`);
});

t.test('a pod gets a hundred identities at most, of its own namespace first', async (t) => {
  const names = Array.from({ length: 150 }, (_, at) => `i-${String(at).padStart(3, '0')}`);
  const [identities, bindings] = ['aaa', 'apps'].reduce<[SeenIdentity[], SeenBinding[]]>(
    (all, namespace) => {
      for (const each of names.slice(0, namespace === 'apps' ? 3 : 150)) {
        const name = `${namespace}-${each}`;
        all[0].push(aSeenIdentity({ namespace, name }));
        all[1].push(aSeenBinding({ namespace, name, azureIdentity: name, selector: 'web' }));
      }
      return all;
    },
    [[], []],
  );
  const { free } = planned({ identities, bindings });
  t.equal(free.length, 100);
  t.equal(free.filter((one) => one.kind === 'create' && one.target.binding.namespace === 'apps').length, 3);
  t.same(problems({ identities, bindings }), ['identities-too-many Pod apps/web']);
});

t.test('a namespace in which one identity is wrong gets its others at once', async (t) => {
  const scene = await Scene.create();
  const { stage } = scene;
  const mic = micOn(t, stage);
  stage.bind('wrong');
  stage.createIdentity('wrong', false);
  stage.pod('wrong', scene.node);
  await mic.run(10 * minute);
  for (const name of ['one', 'two', 'three']) {
    const waited = await scene.honest(mic, name);
    t.ok(waited <= 1_000, `${name}: ${waited} ms`);
  }
});

/** Three scale sets, with a pod of `evil` on each that is bound to its AzureIdentity `his`. */
async function threeSets(): Promise<{ stage: Stage; rename: (name: string) => void }> {
  const stage = new Stage();
  const { world } = stage;
  const namespace = 'evil';
  const labels = { aadpodidbinding: 'his' };
  world.put(world.bindings, aSeenBinding({ namespace, name: 'his', azureIdentity: 'his', selector: 'his' }));
  for (const pool of ['pool', 'quick', 'slow']) {
    const node = await stage.scaleSet(pool);
    world.put(world.pods, aMicPod({ namespace, name: pool, uid: `uid-${pool}`, node, labels }));
  }
  const rename = (name: string): void =>
    world.put(world.identities, aSeenIdentity({ namespace, name: 'his', resourceId: armId(name) }));
  return { stage, rename };
}

t.test('whoever renames one that does not exist every second is tried a few times, and apart', async (t) => {
  const { stage, rename } = await threeSets();
  const mic = micOn(t, stage);
  for (let second = 0; second < 300; second++) {
    rename(`bad-${second}`);
    if (second === 100) {
      stage.bind('zebra');
      stage.pod('zebra', 'slow000001');
    }
    await mic.run(1_000);
    if (second === 100) t.equal(stage.stateOf('zebra'), 'Assigned');
  }
  const { length } = stage.arm.patches;
  t.ok(length <= 20, `${length} PATCHes in five minutes`);
  const mixed = stage.arm.patches.filter(({ patch }) => {
    const sent = JSON.stringify(patch);
    return sent.includes('zebra') && sent.includes('bad-');
  });
  t.same(mixed, []);
});

t.test('so is he when each is renamed before ARM has answered', async (t) => {
  const { stage, rename } = await threeSets();
  const slowly = <T>(act: () => Promise<T>): Promise<T> => stage.clock.sleep(1_500).then(act);
  const mic = micOn(t, stage, {
    arm: {
      identitiesOf: (machine) => slowly(() => stage.arm.identitiesOf(machine)),
      patch: (...sent) => slowly(() => stage.arm.patch(...sent)),
    },
  });
  for (let second = 0; second < 300; second++) {
    rename(`bad-${second}`);
    await mic.run(1_000);
  }
  const { length } = stage.arm.patches;
  t.ok(length <= 20, `${length} PATCHes in five minutes`);
});

t.test('so is one whose pod goes and comes back every second', async (t) => {
  const { stage, rename } = await threeSets();
  const mic = micOn(t, stage);
  rename('bad');
  const pods = new Map(stage.world.pods);
  for (let second = 0; second < 300; second++) {
    for (const [key, pod] of pods) {
      if (second % 2 === 0) stage.world.pods.set(key, pod);
      else stage.world.pods.delete(key);
    }
    await mic.run(1_000);
  }
  const { length } = stage.arm.patches;
  t.ok(length <= 20, `${length} PATCHes in five minutes`);
});

t.test('who corrects a slip of the pen is helped at once, on every machine', async (t) => {
  const { stage, rename } = await threeSets();
  const mic = micOn(t, stage);
  rename('rigth');
  await mic.run(5_000);
  stage.createIdentity('right');
  rename('right');
  await mic.run(0);
  t.same(stage.states(), { Assigned: 3 });
});
