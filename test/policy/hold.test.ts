import t from 'tap';
import type { Decision } from '../../lib/model/decision.ts';
import { allows, start, waits } from './holding.ts';

const denies: Decision = { kind: 'deny', why: { code: 'no-label' } };

t.test('answers at once what is no wait, and leaves no timer', async (t) => {
  for (const decision of [allows, denies]) {
    const { wait, hold, clock } = start(decision);
    t.equal(await wait(), decision);
    t.same([hold.waiting, clock.waiting], [0, 0]);
  }
});

t.test('answers as soon as a change brings a decision, of whatever kind', async (t) => {
  for (const decision of [allows, denies]) {
    const bench = start();
    const waiting = bench.wait();
    await bench.clock.advance(3_000);
    bench.world = decision;
    bench.hold.changed();
    await bench.clock.advance(0);
    t.equal(await waiting, decision);
    t.same([bench.hold.waiting, bench.clock.waiting], [0, 0], 'and leaves no timer');
  }
});

t.test('looks at nothing while nothing changes', async (t) => {
  const bench = start();
  const waiting = bench.wait();
  bench.world = allows;
  await bench.clock.advance(7_999);
  t.equal(bench.looks, 1);
  await bench.clock.advance(1);
  t.equal(await waiting, allows, 'but once more at the end');
  t.equal(bench.looks, 2);
});

t.test('ends with the wait when the time is over', async (t) => {
  const { wait, clock, hold } = start();
  const waiting = wait();
  await clock.advance(8_000);
  t.equal(await waiting, waits);
  t.same([hold.waiting, clock.waiting], [0, 0]);
});

t.test('goes on waiting after a change that brings nothing, to the same deadline', async (t) => {
  const { wait, clock, hold } = start();
  let ended = false;
  const waiting = wait().finally(() => {
    ended = true;
  });
  await clock.advance(4_000);
  hold.changed();
  await clock.advance(3_999);
  t.notOk(ended);
  await clock.advance(1);
  t.equal(await waiting, waits);
});

t.test('does not wait for no time at all, nor for a client that has gone', async (t) => {
  const { wait, clock, hold } = start();
  for (const ended of [wait(0), wait(-1), wait(8_000, AbortSignal.abort())]) t.equal(await ended, waits);
  t.same([hold.waiting, clock.waiting], [0, 0]);
});

t.test('lets go of a client that leaves, and of it alone', async (t) => {
  const bench = start();
  const gone = new AbortController();
  const left = bench.wait(8_000, gone.signal);
  const stays = bench.wait();
  gone.abort();
  t.equal(await left, waits);
  t.equal(bench.hold.waiting, 1);
  bench.world = allows;
  bench.hold.changed();
  await bench.clock.advance(0);
  t.equal(await stays, allows);
  t.equal(bench.looks, 3, 'the one that left was not looked at again');
});

t.test('the last to leave takes the timer with it', async (t) => {
  const { wait, clock, hold } = start();
  const gone = new AbortController();
  const left = Promise.all([wait(8_000, gone.signal), wait(60_000, gone.signal)]);
  t.equal(clock.waiting, 1);
  gone.abort();
  await left;
  t.same([hold.waiting, clock.waiting], [0, 0]);
});

t.test('forgets the client when the wait has ended', async (t) => {
  const { wait, clock } = start();
  const signal = new AbortController().signal;
  let listeners = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    listeners++;
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    listeners--;
    removeEventListener.apply(signal, args);
  };
  const waiting = wait(8_000, signal);
  t.equal(listeners, 1);
  await clock.advance(8_000);
  await waiting;
  t.equal(listeners, 0);
});

t.test('at the end tells all who wait what there is, and lets nobody wait any more', async (t) => {
  const bench = start();
  const waiting = [bench.wait(), bench.wait(60_000)];
  bench.hold.end();
  t.same(await Promise.all(waiting), [waits, waits]);
  t.same(await bench.wait(), waits, 'who comes later does not wait');
  t.same([bench.hold.waiting, bench.clock.waiting], [0, 0]);
});
