import t from 'tap';
import type { Decision } from '../../lib/model/decision.ts';
import { Hold } from '../../lib/policy/hold.ts';
import { FakeClock, settle } from '../fakes/clock.ts';
import { failureOf } from '../fakes/failure.ts';
import { allows, start, waits } from './holding.ts';

t.test('500 that wait cost one timer, and one look each for all changes that come together', async (t) => {
  const bench = start();
  const waiting = Array.from({ length: 500 }, () => bench.wait());
  t.same([bench.hold.waiting, bench.clock.waiting, bench.looks], [500, 1, 500]);
  for (let i = 0; i < 100; i++) bench.hold.changed();
  t.equal(bench.clock.waiting, 2, 'one sweep is due');
  await bench.clock.advance(0);
  t.equal(bench.looks, 1_000);
  bench.hold.changed();
  await bench.clock.advance(0);
  t.equal(bench.looks, 1_500, 'the next change is another sweep');
  bench.world = allows;
  bench.hold.changed();
  await bench.clock.advance(0);
  t.same(new Set(await Promise.all(waiting)), new Set([allows]));
  t.same([bench.looks, bench.hold.waiting, bench.clock.waiting], [2_000, 0, 0]);
});

t.test('500 that came one by one are looked at once each when their times end one by one', async (t) => {
  const bench = start();
  const waiting: Promise<Decision>[] = [];
  const timers = new Set<number>();
  for (let i = 0; i < 500; i++) {
    waiting.push(bench.wait(i % 5 === 0 ? 60_000 : 8_000));
    timers.add(bench.clock.waiting);
    await bench.clock.advance(1);
  }
  t.same([...timers], [1], 'never more than one timer');
  await bench.clock.advance(8_000);
  t.equal(bench.hold.waiting, 100, 'each has its own time');
  await bench.clock.advance(60_000);
  t.equal((await Promise.all(waiting)).length, 500);
  t.equal(bench.looks, 1_000);
});

t.test('a change without anybody waiting costs nothing', async (t) => {
  const { hold, clock } = start();
  hold.changed();
  t.equal(clock.waiting, 0);
});

t.test('a change is seen by those who come before the sweep, and a later one again', async (t) => {
  const bench = start();
  const first = bench.wait();
  bench.hold.changed();
  const second = bench.wait();
  await bench.clock.advance(0);
  t.equal(bench.looks, 4);
  bench.world = allows;
  bench.hold.changed();
  await bench.clock.advance(0);
  t.same(await Promise.all([first, second]), [allows, allows]);
});

t.test('2,000 wait at most; one more is told at once to come again', async (t) => {
  const bench = start();
  const waiting = Array.from({ length: 2_000 }, () => bench.wait());
  t.equal(await bench.wait(), waits);
  t.equal(bench.hold.waiting, 2_000);
  bench.world = allows;
  t.equal(await bench.wait(), allows, 'what is no wait is answered all the same');
  bench.hold.changed();
  await bench.clock.advance(0);
  t.equal((await Promise.all(waiting)).length, 2_000);
});

t.test('a look that throws fails its own request, and leaves no other behind', async (t) => {
  const bench = start();
  const broken = new Error('broken');
  const { signal } = new AbortController();
  let throws = false;
  const odd = (): Decision => {
    if (throws) throw broken;
    return waits;
  };
  const before = bench.wait();
  const failing = failureOf(() => bench.hold.until(odd, 8_000, signal));
  const failingLate = failureOf(() => bench.hold.until(odd, 9_000, signal));
  const after = bench.wait(10_000);
  throws = true;
  await bench.clock.advance(8_000);
  t.equal(await failing, broken, 'at its deadline');
  t.equal(await before, waits);
  bench.world = allows;
  bench.hold.changed();
  await bench.clock.advance(0);
  t.equal(await failingLate, broken, 'in a sweep');
  t.equal(await after, allows);
  t.same([bench.hold.waiting, bench.clock.waiting], [0, 0]);
});

t.test('a first look that throws rejects, like any later one', async (t) => {
  const { wait, hold } = start(new Error('broken'));
  const rejected = wait();
  t.equal((await failureOf(() => rejected)).message, 'broken');
  t.equal(hold.waiting, 0);
});

t.test('a look that brings a change itself does not look for ever', async (t) => {
  const clock = new FakeClock();
  const hold = new Hold(clock);
  let looks = 0;
  const { signal } = new AbortController();
  const waiting = hold.until(
    () => {
      if (looks++ < 3) hold.changed();
      return waits;
    },
    8_000,
    signal,
  );
  hold.changed();
  await clock.advance(0);
  await settle();
  await clock.advance(8_000);
  t.equal(await waiting, waits);
  t.ok(looks <= 6, `${looks} looks`);
});
