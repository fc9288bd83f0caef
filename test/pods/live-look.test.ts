import t from 'tap';
import type { Pod } from '../../lib/model/pod.ts';
import { LiveLook } from '../../lib/pods/live-look.ts';
import { FakeClock } from '../fakes/clock.ts';
import { failureOf } from '../fakes/failure.ts';
import { aPod } from '../fakes/model.ts';

interface Bench {
  readonly clock: FakeClock;
  readonly look: LiveLook;
  /** When each list began, ms after the start. */
  readonly lists: number[];
  /** What the API server answers; an Error is a failure. */
  world: readonly Pod[] | Error;
}

function start(world: readonly Pod[] | Error = [aPod()]): Bench {
  const clock = new FakeClock();
  const lists: number[] = [];
  const list = async (): Promise<readonly Pod[]> => {
    lists.push(clock.monotonic());
    await clock.sleep(10);
    if (bench.world instanceof Error) throw bench.world;
    return bench.world;
  };
  const bench: Bench = { clock, look: new LiveLook({ clock, list }), lists, world };
  return bench;
}

const ip = '10.0.0.7';

/** Asks, and lets `ms` pass for the answer. */
async function ask({ clock, look }: Bench, address = ip, ms = 10): Promise<string> {
  const asked = look.holderOf(address);
  await clock.advance(ms);
  const holder = await asked;
  return holder.kind === 'pod' ? holder.pod.name : holder.kind;
}

t.test('finds a pod that the API server knows', async (t) => {
  t.equal(await ask(start()), 'web');
});

t.test('answers none and unsure like the list it got', async (t) => {
  t.equal(await ask(start([])), 'none');
  t.equal(await ask(start([aPod({ activity: 'ended' })])), 'none');
  t.equal(await ask(start([aPod(), aPod({ uid: 'other', name: 'other' })])), 'unsure');
});

t.test('makes one list for all who ask meanwhile, for whatever address', async (t) => {
  const bench = start([aPod(), aPod({ uid: 'b', name: 'b', ips: ['10.0.0.8'] })]);
  const many = [ip, '10.0.0.8', '10.0.0.9', ip].map((address) => bench.look.holderOf(address));
  await bench.clock.advance(5);
  many.push(bench.look.holderOf('10.0.0.8'));
  await bench.clock.advance(5);
  t.same(
    (await Promise.all(many)).map((holder) => (holder.kind === 'pod' ? holder.pod.name : holder.kind)),
    ['web', 'b', 'none', 'web', 'b'],
  );
  t.same(bench.lists, [0]);
});

t.test('remembers a miss for a second, for that address alone', async (t) => {
  const bench = start([]);
  t.equal(await ask(bench), 'none');
  bench.world = [aPod(), aPod({ uid: 'b', name: 'b', ips: ['10.0.0.8'] })];
  await bench.clock.advance(999);
  t.equal(await ask(bench, ip, 0), 'none', 'not asked for again');
  t.equal(bench.lists.length, 1);
  t.equal(await ask(bench, '10.0.0.8'), 'b');
  t.equal(await ask(bench, ip, 200), 'web', 'the second is over');
  t.equal(bench.lists.length, 3);
});

t.test('remembers nobody whom it found, since an address may change hands', async (t) => {
  const bench = start();
  t.equal(await ask(bench), 'web');
  bench.world = [aPod({ uid: 'next', name: 'next' })];
  t.equal(await ask(bench, ip, 200), 'next');
  bench.world = [aPod(), aPod({ uid: 'other', name: 'other' })];
  t.equal(await ask(bench, ip, 200), 'unsure');
  bench.world = [aPod()];
  t.equal(await ask(bench, ip, 200), 'web', 'nor that it was unsure');
});

t.test('begins lists 200 ms apart at least, however many addresses ask', async (t) => {
  const bench = start([]);
  const asked: Promise<unknown>[] = [];
  for (let i = 0; i < 49; i++) {
    asked.push(bench.look.holderOf(`10.0.1.${i}`));
    await bench.clock.advance(20);
  }
  t.same(bench.lists, [0, 200, 400, 600, 800]);
  await bench.clock.advance(250);
  t.equal((await Promise.all(asked)).length, 49, 'all are answered');
});

t.test('fails for all who wait when there is no answer, and for 5 s after that without asking', async (t) => {
  const down = new Error('no answer');
  const bench = start(down);
  const failures = Promise.all(
    [ip, '10.0.0.8'].map((address) => failureOf(() => bench.look.holderOf(address))),
  );
  await bench.clock.advance(10);
  t.strictSame(await failures, [down, down]);
  bench.world = [aPod()];
  await bench.clock.advance(4999);
  t.strictSame(await failureOf(() => bench.look.holderOf(ip)), down, 'nor is it taken for a miss');
  t.same(bench.lists, [0]);
  await bench.clock.advance(1);
  t.equal(await ask(bench), 'web');
  t.equal(bench.lists.length, 2);
});

t.test('holds no more than a bounded number of misses', async (t) => {
  const bench = start([]);
  const asked = Array.from({ length: 3000 }, (_, i) => bench.look.holderOf(`10.1.${i >> 8}.${i & 255}`));
  await bench.clock.advance(10);
  await Promise.all(asked);
  t.equal(await ask(bench, '10.1.11.183', 0), 'none', 'the last is remembered');
  t.same(bench.lists, [0]);
  t.equal(await ask(bench, '10.1.0.0', 200), 'none', 'the first is looked for again');
  t.equal(bench.lists.length, 2);
});
