import t from 'tap';
import { isoNow, systemClock, turnEnd } from '../../lib/platform/clock.ts';
import { eventually } from '../lab/eventually.ts';

t.test('tells the hour of the machine, and time that does not go back', async (t) => {
  const before = Date.now();
  const now = systemClock.now();
  t.ok(before <= now && now <= Date.now());
  const first = systemClock.monotonic();
  t.ok(systemClock.monotonic() >= first);
});

t.test('calls once when the time has come', async (t) => {
  let calls = 0;
  systemClock.after(0, () => {
    calls += 1;
  });
  t.equal(calls, 0, 'never before the caller has gone on');
  await eventually('it is called', () => calls > 0);
  t.equal(calls, 1);
});

t.test('does not call what was cancelled', async (t) => {
  let cancelled = true;
  const timer = systemClock.after(1, () => {
    cancelled = false;
  });
  timer.cancel();
  timer.cancel();
  let later = false;
  systemClock.after(2, () => {
    later = true;
  });
  await eventually('a later timer has run', () => later);
  t.ok(cancelled);
});

t.test('a sleep ends in time, or early without an error', async (t) => {
  await systemClock.sleep(0);
  await systemClock.sleep(1e9, AbortSignal.abort());
  const wake = new AbortController();
  const sleeping = systemClock.sleep(1e9, wake.signal);
  wake.abort();
  await sleeping;
  t.pass();
});

t.test('a turn ends when what is due in it is done, once for all that wait', async (t) => {
  const order: string[] = [];
  const wait = async (name: string): Promise<void> => {
    await turnEnd();
    order.push(name);
  };
  const both = [wait('first'), wait('second')];
  process.nextTick(() => order.push('this turn'));
  await Promise.all(both);
  t.same(order, ['this turn', 'first', 'second']);
  await turnEnd();
});

t.test('the time of a log line is now, to the millisecond', async (t) => {
  const before = Date.now();
  const times = Array.from({ length: 1_000 }, isoNow);
  const after = Date.now();
  for (const time of [times[0], times.at(-1)]) {
    const at = Date.parse(time ?? '');
    t.equal(new Date(at).toISOString(), time);
    t.ok(before <= at && at <= after);
  }
});
