import t from 'tap';
import { Gate } from '../../lib/platform/gate.ts';
import { FakeClock } from '../fakes/clock.ts';

const never = new AbortController().signal;

t.test('lets all pass that wait when it opens, and everybody from then on', async (t) => {
  const clock = new FakeClock();
  const gate = new Gate(clock);
  const waiting = [gate.wait(1_000, never), gate.wait(2_000, never)];
  gate.open();
  t.same(await Promise.all(waiting), [true, true]);
  t.equal(await gate.wait(0, never), true);
  t.equal(clock.waiting, 0, 'no timer is left');
});

t.test('sends away who has waited long enough, or leaves', async (t) => {
  const clock = new FakeClock();
  const gate = new Gate(clock);
  const leaving = new AbortController();
  const late = gate.wait(1_000, never);
  const gone = gate.wait(60_000, leaving.signal);
  await clock.advance(1_000);
  leaving.abort();
  t.same(await Promise.all([late, gone]), [false, false]);
  t.equal(clock.waiting, 0, 'who leaves is forgotten, timer and all');
  t.equal(await gate.wait(1_000, AbortSignal.abort()), false);
});
