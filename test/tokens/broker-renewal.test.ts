import t from 'tap';
import { settle } from '../fakes/clock.ts';
import { failureOf, refusalOf } from '../fakes/failure.ts';
import { hour, start } from './broker-rig.ts';

const minute = 60_000;

t.test('renews a token that is an hour old, behind the back of who asks', async (t) => {
  const { ask, clock, paid, source } = start();
  await ask();
  await clock.advance(hour - 1);
  t.equal(await ask(), 'token-1');
  t.equal(source.calls.length, 1);
  await clock.advance(1);
  t.equal(await ask(), 'token-1', 'the one in hand is still good');
  await settle();
  t.equal(await ask(), 'token-2');
  t.same(paid, ['fetched', 'cached', 'kept', 'cached']);
  await clock.advance(hour - 1);
  t.equal(await ask(), 'token-2');
  t.equal(source.calls.length, 2, 'the hour begins anew');
});

t.test('waits for no renewal that hangs, and makes no second one beside it', async (t) => {
  const { ask, clock, source } = start();
  await ask();
  await clock.advance(hour);
  const gate = Promise.withResolvers<void>();
  source.gate = gate.promise;
  for (let i = 0; i < 50; i++) t.equal(await ask(), 'token-1');
  t.equal(source.calls.length, 2);
  gate.resolve();
  await settle();
  t.equal(await ask(), 'token-2');
});

t.test('who asks when the old token has run out gets that of the renewal under way', async (t) => {
  const { ask, clock, source, paid } = start();
  source.lifeSec = 3600 + 300 + 5;
  await ask();
  await clock.advance(hour);
  const gate = Promise.withResolvers<void>();
  source.gate = gate.promise;
  t.equal(await ask(), 'token-1');
  await clock.advance(6_000);
  const late = ask();
  gate.resolve();
  t.equal(await late, 'token-2');
  t.same(paid, ['fetched', 'kept', 'shared']);
  t.equal(source.calls.length, 2);
});

t.test('keeps the old token while it is valid and the source fails, and tries once a minute', async (t) => {
  const { ask, source, clock, paid, renewalFailures } = start();
  source.lifeSec = 2 * 3600;
  await ask();
  await clock.advance(hour);
  const away = new Error('away');
  source.failure = away;
  t.equal(await ask(), 'token-1');
  await settle();
  t.strictSame(renewalFailures, [{ identity: 'demo', error: away }]);
  await clock.advance(minute - 1);
  t.equal(await ask(), 'token-1');
  t.equal(source.calls.length, 2, 'not sooner');
  await clock.advance(1);
  t.equal(await ask(), 'token-1');
  await settle();
  t.equal(source.calls.length, 3);
  t.same(paid, ['fetched', 'kept', 'kept', 'kept']);
  await clock.advance(hour);
  t.equal((await failureOf(() => ask())).message, 'away', 'but no longer than it is valid');
  source.failure = undefined;
  t.equal(await ask(), 'token-5', 'and nothing of that is remembered');
});

t.test('does not keep a token that has run out while the source was asked', async (t) => {
  const { ask, source, clock } = start();
  source.lifeSec = 3600 + 300 + 5;
  await ask();
  await clock.advance(hour);
  const gate = Promise.withResolvers<void>();
  source.gate = gate.promise;
  source.failure = new Error('away');
  t.equal(await ask(), 'token-1');
  await clock.advance(6_000);
  const failure = failureOf(() => ask());
  gate.resolve();
  t.equal((await failure).message, 'away');
});

t.test('refuses a new token that has run out already, and keeps a better old one', async (t) => {
  const { ask, source, clock, renewalFailures } = start();
  source.lifeSec = 299;
  t.strictSame(await refusalOf(() => ask()), {
    code: 'imds-garbled',
    message: 'the source handed out a token with under 5 minutes left',
  });
  source.lifeSec = 2 * 3600;
  await ask();
  await clock.advance(hour);
  source.lifeSec = 0;
  t.equal(await ask(), 'token-2');
  await settle();
  t.equal(await ask(), 'token-2');
  t.match(renewalFailures, [{ error: { code: 'imds-garbled' } }]);
});

t.test('a renewal is told of like any other token', async (t) => {
  const { ask, clock, fetched } = start();
  await ask();
  await clock.advance(hour);
  await ask();
  await settle();
  t.same(fetched, ['demo token-1', 'demo token-2']);
});
