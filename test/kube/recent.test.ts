import t from 'tap';
import { Recent } from '../../lib/kube/recent.ts';
import { FakeClock } from '../fakes/clock.ts';

t.test('remembers a key for its time, and not longer', async (t) => {
  const clock = new FakeClock();
  const recent = new Recent(clock, 1_000);
  t.notOk(recent.has('a'));
  t.ok(recent.add('a'));
  await clock.advance(500);
  t.ok(recent.add('b'));
  await clock.advance(499);
  t.ok(recent.has('a'));
  await clock.advance(1);
  t.notOk(recent.has('a'));
  t.ok(recent.has('b'), 'each has its own time');
  t.notOk(recent.has('c'));
});

t.test('takes no more than 1,024 keys, and forgets none of them for a new one', async (t) => {
  const clock = new FakeClock();
  const recent = new Recent(clock, 1_000);
  const taken = Array.from({ length: 1_024 }, (_, i) => recent.add(`key ${i}`));
  t.ok(taken.every(Boolean));
  t.notOk(recent.add('one more'));
  t.notOk(recent.has('one more'));
  t.ok(recent.has('key 0'));
  await clock.advance(1_000);
  t.ok(recent.add('one more'));
});
