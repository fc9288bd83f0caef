import t, { type Test } from 'tap';
import type { ApplyDoors } from '../../lib/assign/apply-doors.ts';
import type { Problem } from '../../lib/assign/problem.ts';
import { Controller } from '../../lib/mic/controller.ts';
import type { Clock } from '../../lib/platform/clock.ts';
import { MicMetrics } from '../../lib/platform/mic-metrics.ts';
import { Stage } from '../assign/apply-rig.ts';
import { FakeObjects } from '../assign/fake-objects.ts';
import { settle } from '../fakes/clock.ts';
import { MemoryLog } from '../kube/rig.ts';

const hour = 3_600_000;

/** A controller on a stage with one scale set; `lead` has it work until `depose`. */
class Rig {
  readonly stage = new Stage({ graceMs: 300_000 });
  readonly log = new MemoryLog();
  readonly problems: (readonly Problem[])[] = [];
  readonly controller: Controller;
  isFresh = true;
  snapshots = 0;
  /** What a plan takes. */
  planMs = 0;
  #planned = 0;
  broken = false;
  node = '';
  #stop = new AbortController();

  constructor() {
    const { stage, log } = this;
    const { world, arm } = stage;
    const clock: Clock = {
      now: () => stage.clock.now(),
      monotonic: () => stage.clock.monotonic() + this.#planned,
      after: (ms, run) => stage.clock.after(ms, run),
      sleep: (ms, signal) => stage.clock.sleep(ms, signal),
    };
    const doors: ApplyDoors = {
      ...{ arm, clock, log, objects: new FakeObjects(world), random: () => 0.5 },
      ...{ tell: () => undefined, onWrite: () => undefined, isFresh: () => this.isFresh },
    };
    this.controller = new Controller({
      ...{ doors, everyMs: hour, metrics: new MicMetrics(), planSettings: () => world.settings },
      applySettings: { immutable: [], batch: 20, repairMs: 180_000 },
      snapshot: (nowMs) => {
        this.snapshots += 1;
        if (this.broken) throw new Error('the snapshot is broken');
        this.#planned += this.planMs;
        world.nowMs = nowMs;
        return world.snapshot();
      },
      onProblems: (problems) => void this.problems.push(problems),
    });
  }

  static async create(test: Test): Promise<Rig> {
    const rig = new Rig();
    rig.node = await rig.stage.scaleSet('set');
    rig.stage.bind('demo');
    test.teardown(() => rig.depose());
    return rig;
  }

  lead(): Promise<void> {
    this.#stop = new AbortController();
    return this.controller.lead(this.#stop.signal);
  }

  depose(): void {
    this.#stop.abort();
  }

  /** Changes, and time in which they are seen. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 1_000) {
      this.controller.trigger();
      await this.stage.clock.advance(Math.min(left, 1_000));
    }
  }
}

t.test('works only while it leads', async (t) => {
  const rig = await Rig.create(t);
  rig.stage.pod('demo', rig.node);
  await rig.pass(5_000);
  t.equal(rig.snapshots, 0);
  const leading = rig.lead();
  await rig.pass(5_000);
  t.equal(rig.stage.stateOf('demo'), 'Assigned');
  rig.depose();
  await leading;
  const before = rig.snapshots;
  await rig.pass(5_000);
  t.equal(rig.snapshots, before);
});

t.test('plans no more than half of the time, however long plans take', async (t) => {
  const rig = await Rig.create(t);
  const leading = rig.lead();
  await rig.pass(2_000);
  rig.planMs = 5_000;
  const before = rig.snapshots;
  for (let i = 0; i < 60; i++) await rig.pass(1_000);
  const made = rig.snapshots - before;
  t.ok(made >= 5 && made <= 15, `${made} plans of 5 s in a minute and what they took`);
  rig.depose();
  await leading;
});

t.test('changes that come together make one plan', async (t) => {
  const rig = await Rig.create(t);
  const leading = rig.lead();
  await rig.pass(2_000);
  const before = rig.snapshots;
  for (let i = 0; i < 20; i++) {
    rig.controller.trigger();
    await rig.stage.clock.advance(10);
  }
  await rig.stage.clock.advance(1_000);
  t.ok(rig.snapshots - before <= 2, `${rig.snapshots - before} plans of 20 changes in 200 ms`);
  rig.depose();
  await leading;
});

t.test('makes no plan while the caches are behind, and one soon after, without a change', async (t) => {
  const rig = await Rig.create(t);
  rig.stage.pod('demo', rig.node);
  rig.isFresh = false;
  const leading = rig.lead();
  await rig.stage.clock.advance(60_000);
  t.equal(rig.snapshots, 0);
  rig.isFresh = true;
  await rig.stage.clock.advance(6_000);
  t.ok(rig.snapshots > 0);
  rig.depose();
  await leading;
});

t.test('makes the next plan when a grace has ended, without a change', async (t) => {
  const rig = await Rig.create(t);
  rig.stage.pod('demo', rig.node);
  const leading = rig.lead();
  await rig.pass(5_000);
  rig.stage.endPod('demo');
  await rig.pass(5_000);
  t.equal(rig.stage.stateOf('demo'), 'Unassigned');
  await rig.stage.clock.advance(280_000);
  t.same(rig.stage.on('set'), ['demo'], 'not before its time');
  await rig.stage.clock.advance(20_000);
  t.same(rig.stage.on('set'), []);
  rig.depose();
  await leading;
});

t.test('a plan that fails is told and tried again, and the problems of each are handed on', async (t) => {
  const rig = await Rig.create(t);
  rig.broken = true;
  const leading = rig.lead();
  await rig.stage.clock.advance(1_000);
  t.match(rig.log.lines[0], { level: 'error', fields: { why: 'the snapshot is broken' } });
  rig.broken = false;
  rig.stage.world.identities.clear();
  await rig.stage.clock.advance(10_000);
  t.match(rig.problems.at(-1), [{ code: 'identity-missing' }]);
  rig.depose();
  await leading;
});

t.test(
  'gives a change under way 3 s when the lead is lost, and then goes; a new term finishes it',
  async (t) => {
    const rig = await Rig.create(t);
    const { stage } = rig;
    stage.arm.operationMs = 60_000;
    // As one whose answer is on its way, which cannot be called back.
    const { patch } = stage.arm;
    stage.arm.patch = (machine, sent) => patch.call(stage.arm, machine, sent, new AbortController().signal);
    stage.pod('demo', rig.node);
    const leading = rig.lead();
    await rig.pass(5_000);
    t.equal(stage.stateOf('demo'), 'Created');
    rig.depose();
    let isOver = false;
    void leading.then(() => {
      isOver = true;
    });
    await settle();
    t.notOk(isOver);
    await stage.clock.advance(5_000);
    t.ok(isOver);
    const again = rig.lead();
    await rig.pass(200_000);
    t.equal(stage.stateOf('demo'), 'Assigned');
    t.same(stage.on('set'), ['demo']);
    rig.depose();
    await again;
  },
);
