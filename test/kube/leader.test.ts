import t, { type Test } from 'tap';
import { pick, seeded } from '../fakes/random.ts';
import type { Mishap } from './fake-lease.ts';
import { Contender, leaseMs, World } from './leader-rig.ts';

const hour = 3_600_000;

/** A world with candidates that have begun; they end with the test. */
async function world(t: Test, ...names: readonly string[]): Promise<{ world: World; all: Contender[] }> {
  const world = new World();
  const all = names.map((name) => new Contender(name, world).start());
  t.teardown(async () => {
    const ended = Promise.all(all.map((each) => each.stop()));
    await world.clock.advance(10 * leaseMs);
    await ended;
  });
  await world.clock.advance(0);
  return { world, all };
}

t.test('the first leads at once, the second waits and says for whom', async (t) => {
  const { world: w, all } = await world(t, 'one', 'two');
  const [one, two] = all as [Contender, Contender];
  await w.clock.advance(10 * leaseMs);
  t.ok(one.working && !two.working);
  t.match(w.lease.lease?.record, { holder: 'one', durationSeconds: 15, transitions: 0 });
  const lines = two.log.lines.map(({ fields }) => fields.why);
  t.equal(lines.filter((why) => why === 'one leads').length, 1, 'once');
  t.strictSame(one.told, ['one became leader']);
});

t.test('a standby takes over within the lease, wherever between two renewals the leader dies', async (t) => {
  for (const afterMs of [0, 1, 900, 1_800, 2_700, 3_600, 3_749, 3_750]) {
    const { world: w, all } = await world(t, 'one', 'two');
    const [one, two] = all as [Contender, Contender];
    await w.clock.advance(4 * leaseMs + afterMs);
    t.ok(one.working);
    one.die();
    const took = await w.until(() => two.working, 2 * leaseMs, 10);
    t.ok(two.working && took <= leaseMs, `after ${afterMs} ms: ${took} ms`);
    t.equal(w.lease.lease?.record.transitions, 1);
  }
});

t.test(
  'a clean end lets the work finish, releases the lease, and the next need not wait it out',
  async (t) => {
    const { world: w, all } = await world(t, 'one', 'two');
    const [one, two] = all as [Contender, Contender];
    one.lingerMs = 20_000;
    await w.clock.advance(leaseMs);
    const ended = one.stop();
    await w.clock.advance(19_000);
    t.notOk(two.working, 'the lease is held while the work winds down');
    t.equal(w.lease.lease?.record.holder, 'one');
    await w.clock.advance(1_000);
    await ended;
    const took = await w.until(() => two.working, leaseMs);
    t.ok(took <= leaseMs / 4, `${took} ms`);
  },
);

t.test('a leader that cannot renew stops its work in time, stays, and leads again later', async (t) => {
  const { world: w, all } = await world(t, 'one');
  const [one] = all as [Contender];
  await w.clock.advance(leaseMs);
  one.mishap = () => 'before';
  const took = await w.until(() => !one.working, leaseMs, 10);
  t.ok(took <= leaseMs / 2, `${took} ms`);
  await w.clock.advance(4 * leaseMs);
  t.notOk(one.leader.leading);
  one.mishap = () => undefined;
  await w.until(() => one.working, leaseMs);
  t.equal(one.terms, 2);
  t.strictSame(one.told, ['one became leader', 'one stopped leading', 'one became leader']);
});

t.test('a short trouble, or a label from somebody, costs nobody the lease', async (t) => {
  const { world: w, all } = await world(t, 'one');
  const [one] = all as [Contender];
  const mishaps: readonly Mishap[] = ['before', 'after', 'hangs'];
  for (const mishap of mishaps) {
    let left = 1;
    one.mishap = () => (left-- > 0 ? mishap : undefined);
    await w.clock.advance(leaseMs);
  }
  if (w.lease.lease) w.lease.write(w.lease.lease.record);
  await w.clock.advance(2 * leaseMs);
  t.ok(one.working);
  t.equal(one.terms, 1);
});

t.test('a leader whose lease another has taken stops at its next look', async (t) => {
  const { world: w, all } = await world(t, 'one');
  const [one] = all as [Contender];
  await w.clock.advance(leaseMs);
  const record = w.lease.lease?.record;
  if (record) w.lease.write({ ...record, holder: 'thief' });
  await w.clock.advance(leaseMs / 4);
  t.notOk(one.working);
  t.match(one.log.lines.at(-1)?.fields, { why: 'thief leads' });
});

t.test(
  "waits while the original's MIC is at work, says so once, and gives way to one that comes back",
  async (t) => {
    const w = new World();
    w.original.standing = { kind: 'held', by: 'mic-5d9' };
    const one = new Contender('one', w).start();
    t.teardown(() => one.stop());
    await w.clock.advance(4 * leaseMs);
    t.equal(one.terms, 0);
    t.match(one.log.lines, [
      { message: 'not leading; waiting', fields: { why: /original's MIC mic-5d9 is at work/ } },
    ]);
    t.equal(one.log.lines.length, 1);
    w.original.standing = { kind: 'free' };
    await w.clock.advance(leaseMs / 4);
    t.ok(one.working);
    w.original.standing = { kind: 'held', by: 'mic-5d9' };
    await w.clock.advance(leaseMs / 4);
    t.notOk(one.working);
    t.equal(w.lease.lease?.record.holder, '', 'the lease is released');
  },
);

t.test('work that fails or ends by itself ends the run, with the lease released', async (t) => {
  const w = new World();
  const one = new Contender('one', w);
  const never = new AbortController().signal;
  await t.rejects(
    one.leader.run(never, () => Promise.reject(new Error('broken'))),
    { message: 'broken' },
  );
  t.equal(w.lease.lease?.record.holder, '');
  await t.rejects(
    one.leader.run(never, () => Promise.resolve()),
    { message: /ended by itself/ },
  );
});

t.test('never do two work at once, whatever their clocks say and the API does', async (t) => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = seeded(seed);
    const w = new World(random);
    const skews = [0, hour, -hour, 24 * hour * random()];
    const all = skews.map((skew, i) => new Contender(`mic-${i}`, w, skew));
    let trouble = 0;
    for (const each of all) {
      each.mishap = () => (random() < trouble ? pick(['before', 'after', 'hangs'], random) : undefined);
      each.delayMs = () => random() * 500;
      each.start();
    }
    let worst = 0;
    const steps: [number, Contender | undefined][] = [];
    for (let step = 0; step < 40; step++) {
      trouble = pick([0, 0, 0.3, 0.9], random);
      const cut = random() < 0.3 ? pick(all as [Contender, ...Contender[]], random) : undefined;
      const healthy = cut?.mishap;
      if (cut) cut.mishap = () => 'before';
      steps.push([trouble, cut]);
      const forMs = random() * 20_000;
      for (let ms = 0; ms < forMs; ms += 250) {
        await w.clock.advance(250);
        worst = Math.max(worst, all.filter(({ working }) => working).length);
      }
      if (cut && healthy) cut.mishap = healthy;
    }
    t.equal(worst, 1, `seed ${seed}: ${all.map(({ terms }) => terms).join(', ')} terms`);
    trouble = 0;
    await w.until(() => all.some(({ working }) => working), 2 * leaseMs);
    t.ok(
      all.some(({ working }) => working),
      `seed ${seed}: somebody works when all is well again`,
    );
    const ended = Promise.all(all.map((each) => each.stop()));
    await w.clock.advance(4 * leaseMs);
    await ended;
  }
});
