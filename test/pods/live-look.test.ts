import t from 'tap';
import type { Pod } from '../../lib/model/pod.ts';
import { LiveLook } from '../../lib/pods/live-look.ts';
import type { Holder } from '../../lib/pods/pod-index.ts';
import { FakeClock } from '../fakes/clock.ts';
import { failureOf } from '../fakes/failure.ts';
import { aPod } from '../fakes/model.ts';

interface Bench {
  readonly clock: FakeClock;
  readonly look: LiveLook;
  /** When each list began, ms after the start. */
  readonly lists: number[];
  /** What it told of failures. */
  readonly failures: unknown[];
  /** What the API server answers; an Error is a failure. */
  world: readonly Pod[] | Error;
  /** How long a list takes, ms. */
  tookMs: number;
}

function start(world: readonly Pod[] | Error = [aPod()]): Bench {
  const clock = new FakeClock();
  const lists: number[] = [];
  const list = async (): Promise<readonly Pod[]> => {
    lists.push(clock.monotonic());
    await clock.sleep(bench.tookMs);
    if (bench.world instanceof Error) throw bench.world;
    return bench.world;
  };
  const failures: unknown[] = [];
  const look = new LiveLook({ clock, list, onFailure: (error) => failures.push(error) });
  const bench: Bench = { clock, look, lists, failures, world, tookMs: 10 };
  return bench;
}

const ip = '10.0.0.7';

/** Asks, and lets `ms` pass for the answer. */
async function ask({ clock, look }: Bench, address = ip, ms = 10): Promise<string> {
  const asked = look.holderOf(address);
  await clock.advance(ms);
  return brief(await asked);
}

const brief = (holder: Holder): string => (holder.kind === 'pod' ? holder.pod.name : holder.kind);

t.test('finds a pod that the API server knows', async (t) => {
  t.equal(await ask(start()), 'web');
});

t.test('answers none and unsure like the list it got', async (t) => {
  t.equal(await ask(start([])), 'none');
  t.equal(await ask(start([aPod({ activity: 'ended' })])), 'none');
  t.equal(await ask(start([aPod(), aPod({ uid: 'other', name: 'other' })])), 'unsure');
});

t.test('makes one list for all who ask before it begins, for whatever address or name', async (t) => {
  const bench = start([aPod(), aPod({ uid: 'b', name: 'b', ips: ['10.0.0.8'] })]);
  const many = [ip, '10.0.0.8', '10.0.0.9', ip].map((address) => bench.look.holderOf(address));
  many.push(bench.look.named('apps/b'), bench.look.named('apps/gone'));
  await bench.clock.advance(10);
  t.same((await Promise.all(many)).map(brief), ['web', 'b', 'none', 'web', 'b', 'none']);
  t.same(bench.lists, [0]);
});

t.test('makes another list, one for all, for those who ask once it has begun', async (t) => {
  const bench = start([]);
  const early = bench.look.holderOf('10.0.0.9');
  await bench.clock.advance(5);
  const late = [ip, '10.0.0.8', ip].map((address) => bench.look.holderOf(address));
  await bench.clock.advance(5);
  t.equal(brief(await early), 'none');
  bench.world = [aPod()];
  await bench.clock.advance(200);
  t.same((await Promise.all(late)).map(brief), ['web', 'none', 'web'], 'what the first could not know');
  t.same(bench.lists, [0, 200]);
});

t.test('a list that takes long is not overtaken by the next', async (t) => {
  const bench = start([]);
  bench.tookMs = 1_000;
  const asked = [bench.look.holderOf(ip)];
  await bench.clock.advance(500);
  asked.push(bench.look.holderOf(ip));
  await bench.clock.advance(499);
  t.same(bench.lists, [0]);
  await bench.clock.advance(1_001);
  t.same((await Promise.all(asked)).map(brief), ['none', 'none']);
  t.same(bench.lists, [0, 1_000]);
});

t.test('finds a pod by name, on the network of the node and without an address, too', async (t) => {
  const named = async (bench: Bench, key: string): Promise<string> => {
    const asked = bench.look.named(key);
    await bench.clock.advance(200);
    return brief(await asked);
  };
  t.equal(await named(start(), 'apps/web'), 'web');
  t.equal(await named(start([aPod({ hostNetwork: true, ips: [] })]), 'apps/web'), 'web');
  for (const key of ['other/web', 'apps/web-2', 'web', 'apps/'])
    t.equal(await named(start(), key), 'none', key);
  const bench = start([]);
  t.equal(await named(bench, 'apps/web'), 'none');
  t.equal(await named(bench, 'apps/web'), 'none', 'a miss is remembered');
  t.same(bench.lists, [0]);
  t.equal(await named(bench, '10.0.0.7'), 'none', 'apart from addresses');
  t.equal(bench.lists.length, 2);
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
  t.strictSame(bench.failures, [down], 'told once');
  bench.world = [aPod()];
  await bench.clock.advance(4999);
  t.strictSame(await failureOf(() => bench.look.holderOf(ip)), down, 'nor is it taken for a miss');
  t.strictSame(await failureOf(() => bench.look.named('apps/web')), down);
  t.same(bench.lists, [0]);
  t.equal(bench.failures.length, 1, 'nobody has asked again');
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
