import t, { type Test } from 'tap';
import { armIdOf } from '../../lib/assign/machine.ts';
import { loadMicConfig } from '../../lib/config/load-mic.ts';
import { controllerOf } from '../../lib/mic/work.ts';
import { MicMetrics } from '../../lib/platform/mic-metrics.ts';
import { Stage } from '../assign/apply-rig.ts';
import { FakeObjects } from '../assign/fake-objects.ts';
import { armId, aSeenBinding } from '../assign/making.ts';
import { MemoryLog } from '../kube/rig.ts';
import { sampleIdentity } from '../lab/imds/token.ts';

/** What each flag does to the leader's work. */
const minute = 60_000;
const home = { subscription: 'sub', resourceGroup: 'group' } as const;

interface Rig {
  readonly stage: Stage;
  readonly objects: FakeObjects;
  /** Of scale set `set`. */
  readonly node: string;
  /** What the cloud configuration says; `own` is MIC's own identity. */
  readonly azure: { own: string[]; home: { subscription: string; resourceGroup: string } };
  readonly metrics: MicMetrics;
  /** Changes, and time in which they are seen. */
  pass(ms: number): Promise<void>;
}

/** MIC with these flags leads, with bindings for `one`, `two` and `three`. */
async function rig(test: Test, ...flags: readonly string[]): Promise<Rig> {
  const stage = new Stage();
  const node = await stage.scaleSet('set');
  stage.bind('one', 'two', 'three');
  const { clock, arm, world } = stage;
  const [objects, metrics] = [new FakeObjects(world), new MicMetrics()];
  const azure = { arm, home: { ...home }, own: [] as string[], close: async () => undefined };
  const controller = controllerOf({
    ...{ config: loadMicConfig(flags, { MIC_POD_NAMESPACE: 'default' }), cloud: { azure }, objects },
    ...{ clock, metrics, log: new MemoryLog(), random: () => 0.5 },
    cluster: { isFresh: () => true, snapshot: (nowMs) => ({ ...world.snapshot(), nowMs }) },
    telling: { outcry: (event) => void stage.events.push(event), problems: () => undefined },
  });
  const stop = new AbortController();
  const leading = controller.lead(stop.signal);
  test.teardown(async () => {
    stop.abort();
    await leading;
  });
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 1_000) {
      controller.trigger();
      await clock.advance(Math.min(left, 1_000));
    }
  };
  return { stage, objects, node, azure, metrics, pass };
}

t.test('--update-user-msi-retry-interval is the rest before another try of a refused change', async (t) => {
  const { stage, node, pass } = await rig(t, '--update-user-msi-retry-interval=30s');
  stage.createIdentity('one', false);
  for (const name of ['one', 'two', 'three']) stage.pod(name, node);
  const tries: number[] = [];
  for (const ms of [5_000, 20_000, 10_000, 30_000]) {
    await pass(ms);
    tries.push(stage.arm.patches.length);
  }
  t.same(tries, [1, 1, 2, 3], 'all; then the one that is blamed, 30 s later; then the others');
  t.same(stage.states(), { Assigned: 2, Created: 1 });
});

t.test('--unassign-grace is how long an identity stays after its last pod', async (t) => {
  const { stage, node, pass } = await rig(t, '--unassign-grace=2m');
  stage.pod('one', node);
  await pass(5_000);
  stage.endPod('one');
  await pass(2 * minute - 5_000);
  t.same(stage.on('set'), ['one']);
  await pass(15_000);
  t.same(stage.on('set'), []);
});

t.test('--prewarm=binding keeps it for a day, and without that flag nothing does', async (t) => {
  for (const [flags, left] of [
    [['--prewarm=binding'], ['one']],
    [[], []],
  ] as const) {
    const { stage, node, pass } = await rig(t, '--unassign-grace=0', ...flags);
    stage.pod('one', node);
    await pass(5_000);
    stage.endPod('one');
    await pass(10 * minute);
    t.same(stage.on('set'), left, flags.join());
  }
});

t.test("--immutable-user-msis and the cluster's own identity stay, as the file says now", async (t) => {
  const named = sampleIdentity('one').clientId.toUpperCase();
  const { stage, node, azure, pass } = await rig(t, '--unassign-grace=0', `--immutable-user-msis=${named}`);
  for (const name of ['one', 'two', 'three']) stage.pod(name, node);
  await pass(5_000);
  azure.own.push(armId('two'));
  for (const name of ['one', 'two', 'three']) stage.endPod(name);
  await pass(20_000);
  t.same(stage.on('set'), ['one', 'two']);
});

t.test('--identity-assignment-reconcile-interval is when what others took off is put back', async (t) => {
  const { stage, node, pass } = await rig(t, '--identity-assignment-reconcile-interval=10m');
  stage.pod('one', node);
  await pass(11 * minute);
  await stage.arm.azure.addMachine({ ...home, kind: 'vmss', name: 'set' });
  await pass(3 * minute);
  t.same(stage.on('set'), []);
  await pass(8 * minute);
  t.same(stage.on('set'), ['one']);
});

t.test('--createDeleteBatch is how many objects are written at once', async (t) => {
  const { stage, node, objects, pass } = await rig(t, '--createDeleteBatch=3');
  for (let at = 0; at < 20; at++) stage.pod(`pod-${at}`, node, 'one');
  await pass(5_000);
  t.same(stage.states(), { Assigned: 20 });
  t.equal(objects.most, 3);
});

t.test('--forceNamespaced keeps the pods of other namespaces away', async (t) => {
  const { stage, node, pass } = await rig(t, '--forceNamespaced');
  stage.pod('one', node);
  const stranger = stage.world.pods.get('apps/one');
  if (!stranger) throw new Error('no pod');
  stage.world.put(stage.world.pods, { ...stranger, namespace: 'other', uid: 'uid-other' });
  await pass(5_000);
  t.same([...stage.world.objects.keys()], ['apps/one-apps-one']);
});

t.test('a node without a providerID is looked for where the cloud configuration says now', async (t) => {
  const { stage, azure, pass } = await rig(t);
  azure.home.resourceGroup = 'MC_new';
  const vm = { ...home, kind: 'vm', resourceGroup: 'MC_new', name: 'bare' } as const;
  await stage.arm.azure.addMachine(vm);
  stage.world.nodes.set('bare', '');
  stage.pod('one', 'bare');
  await pass(5_000);
  t.equal(stage.arm.azure.view(armIdOf(vm))?.userAssigned.length, 1);
});

t.test("writes are counted by the original's names, and those that fail apart", async (t) => {
  const { stage, node, objects, metrics, pass } = await rig(t, '--unassign-grace=0');
  const count = async (name: string): Promise<number> => {
    const { body } = await metrics.page();
    const line = body.split('\n').find((each) => each.startsWith(`aadpodidentity_${name} `));
    return Number(line?.split(' ')[1] ?? 0);
  };
  const failures = (type: string): Promise<number> =>
    count(`kubernetes_api_operations_errors_count{operation_type="${type}"}`);
  stage.pod('one', node);
  await pass(2_000);
  stage.world.put(
    stage.world.bindings,
    aSeenBinding({ name: 'one-binding', azureIdentity: 'one', selector: 'one', weight: 3 }),
  );
  await pass(2_000);
  t.same(
    [await count('assigned_identity_addition_count'), await count('assigned_identity_update_count')],
    [1, 1],
  );
  objects.refused.add('default/two-apps-two').add('default/one-apps-one');
  stage.pod('two', node);
  stage.endPod('one');
  await pass(2_000);
  t.equal(await failures('assigned_identity_addition'), 1);
  t.equal(await failures('update_azure_assigned_identity_status'), 1);
  objects.refused.clear();
  await pass(20_000);
  t.same(stage.states(), { Assigned: 1 });
  for (const write of ['addition', 'update', 'deletion']) {
    const made = write === 'addition' ? 2 : 1;
    t.equal(await count(`assigned_identity_${write}_count`), made, write);
    t.equal(await count(`assigned_identity_${write}_duration_seconds_count`), made, write);
  }
  t.ok((await count('mic_cycle_count')) > 3);
});
