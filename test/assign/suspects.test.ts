import t from 'tap';
import { Suspects } from '../../lib/assign/suspects.ts';
import { FakeClock } from '../fakes/clock.ts';

const minute = 60_000;

t.test('what all machines try at once counts once, then each', async (t) => {
  const clock = new FakeClock();
  const suspects = new Suspects(clock, () => 0);
  const waits: number[] = [];
  for (let round = 0; round < 4; round++) {
    for (let machine = 0; machine < 3; machine++) suspects.close('evil');
    waits.push(suspects.opensAt('evil') - clock.monotonic());
    await clock.advance(waits.at(-1) ?? 0);
  }
  t.same(waits, [30_000, 4 * minute, 10 * minute, 10 * minute]);
});

t.test('is forgotten ten minutes after the last refusal, on whichever machine', async (t) => {
  const clock = new FakeClock();
  const suspects = new Suspects(clock, () => 0);
  suspects.refused(['evil'], 'one');
  await clock.advance(6 * minute);
  suspects.refused(['evil'], 'two');
  await clock.advance(4 * minute);
  suspects.tidy();
  t.ok(suspects.has('evil'));
  t.notOk(suspects.has('evil', 'one'));
  t.ok(suspects.has('evil', 'two'));
  t.notOk(suspects.has('apps'));
  await clock.advance(6 * minute);
  t.notOk(suspects.has('evil'));
});
