import t from 'tap';
import { settle } from '../fakes/clock.ts';
import { due, hour, start } from './broker-rig.ts';

const tooLarge = 16 * 1024;

t.test('hands out a token that is too large to be kept, each time a new one', async (t) => {
  const { ask, source, paid, events, broker } = start();
  source.padding = tooLarge;
  t.same([await ask(), await ask()], ['token-1', 'token-2']);
  t.same(paid, ['fetched', 'fetched']);
  t.same(events, ['too-large', 'too-large']);
  t.equal(broker.size, 0);
});

t.test('makes one call for all who ask for such a token at the same time', async (t) => {
  const { ask, source, paid } = start();
  source.padding = tooLarge;
  t.same(new Set(await Promise.all([ask(), ask(), ask()])), new Set(['token-1']));
  t.equal(source.calls.length, 1);
  t.same(paid.toSorted(), ['fetched', 'shared', 'shared']);
});

t.test('drops the old token when the new one is too large: no renewal after another for it', async (t) => {
  const { ask, source, clock, paid, events } = start();
  await ask();
  source.padding = tooLarge;
  await clock.advance(due);
  t.equal(await ask(), 'token-1');
  await settle();
  t.equal(await ask(), 'token-3', 'what was renewed behind the back is not there');
  t.equal(source.calls.length, 3);
  t.same(paid, ['fetched', 'cached', 'fetched']);
  t.same(events, ['too-large', 'too-large'], 'nothing was renewed');
});

t.test('hands out the large renewal of what is too old, and keeps neither', async (t) => {
  const { ask, source, clock, paid, broker } = start();
  await ask();
  source.padding = tooLarge;
  await clock.advance(hour);
  t.equal(await ask(), 'token-2');
  t.equal(broker.size, 0);
  t.same(paid, ['fetched', 'fetched']);
});

t.test(
  'who was paid with the old token, since the large one came late, gets a new one next time',
  async (t) => {
    const { ask, source, clock, paid } = start();
    await ask();
    source.padding = tooLarge;
    await clock.advance(hour);
    const gate = Promise.withResolvers<void>();
    source.gate = gate.promise;
    const asked = ask();
    await clock.advance(2_000);
    t.equal(await asked, 'token-1');
    gate.resolve();
    await settle();
    t.equal(await ask(), 'token-3');
    t.same(paid, ['fetched', 'kept', 'fetched']);
  },
);
