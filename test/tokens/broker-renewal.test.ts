import t from 'tap';
import { settle } from '../fakes/clock.ts';
import { failureOf, refusalOf } from '../fakes/failure.ts';
import { due, hour, minute, start } from './broker-rig.ts';

t.test('renews behind the back of who asks, 5 minutes before the token is an hour old', async (t) => {
  const { ask, clock, paid, source, events } = start();
  await ask();
  await clock.advance(due - 1);
  t.equal(await ask(), 'token-1');
  t.equal(source.calls.length, 1);
  await clock.advance(1);
  t.equal(await ask(), 'token-1', 'the one in hand is still good');
  await settle();
  t.equal(await ask(), 'token-2');
  t.same(paid, ['fetched', 'cached', 'cached', 'cached']);
  t.same(events, ['renewed']);
  await clock.advance(due - 1);
  t.equal(await ask(), 'token-2');
  t.equal(source.calls.length, 2, 'the time begins anew');
});

t.test('renews a token of a short life at half of it', async (t) => {
  const { ask, clock, source } = start();
  source.lifeSec = 3600;
  await ask();
  await clock.advance(30 * minute - 1);
  await ask();
  t.equal(source.calls.length, 1);
  await clock.advance(1);
  t.equal(await ask(), 'token-1');
  t.equal(source.calls.length, 2);
});

t.test('spreads renewals over the last tenth of the time, as chance has it', async (t) => {
  for (const [chance, at] of [
    [0, due],
    [0.5, due * 0.95],
    [0.999, due * 0.9001],
  ] as const) {
    const { ask, clock, source } = start(() => chance);
    await ask();
    await clock.advance(at - 1);
    await ask();
    t.equal(source.calls.length, 1, `not before ${at} ms`);
    await clock.advance(1);
    await ask();
    t.equal(source.calls.length, 2, `at ${at} ms`);
  }
});

t.test('renews nothing that nobody asks for', async (t) => {
  const { ask, clock, source } = start();
  await ask();
  await clock.advance(20 * hour);
  t.equal(source.calls.length, 1);
  t.equal(clock.waiting, 0, 'no timer runs for it');
});

t.test('hands out nothing that is an hour old while a new one can be had', async (t) => {
  const { ask, clock, paid } = start();
  await ask();
  await clock.advance(hour);
  t.equal(await ask(), 'token-2', 'who asks first waits for it');
  t.same(paid, ['fetched', 'fetched']);
});

t.test('waits 2 seconds at most for the renewal of what is too old, and makes one for all', async (t) => {
  const { ask, clock, source, paid } = start();
  await ask();
  await clock.advance(hour);
  const gate = Promise.withResolvers<void>();
  source.gate = gate.promise;
  const asked = Promise.all(Array.from({ length: 50 }, () => ask()));
  await clock.advance(2_000);
  t.same(new Set(await asked), new Set(['token-1']));
  t.equal(source.calls.length, 2);
  t.same(new Set(paid.slice(1)), new Set(['kept']));
  const late = ask();
  await settle();
  gate.resolve();
  t.equal(await late, 'token-2');
});

t.test('waits for no renewal that hangs while the token is young', async (t) => {
  const { ask, clock, source } = start();
  await ask();
  await clock.advance(due);
  const gate = Promise.withResolvers<void>();
  source.gate = gate.promise;
  for (let i = 0; i < 50; i++) t.equal(await ask(), 'token-1');
  t.equal(source.calls.length, 2, 'and makes no second one beside it');
  gate.resolve();
  await settle();
  t.equal(await ask(), 'token-2');
});

t.test('who asks when the old token has run out gets that of the renewal under way', async (t) => {
  const { ask, clock, source, paid } = start();
  source.lifeSec = 3600 + 300 + 1;
  await ask();
  await clock.advance(hour);
  const gate = Promise.withResolvers<void>();
  source.gate = gate.promise;
  const early = ask();
  await clock.advance(1_500);
  const late = ask();
  await clock.advance(2_000);
  gate.resolve();
  t.same([await early, await late], ['token-2', 'token-2'], 'nobody gets the one that has run out');
  t.same(paid, ['fetched', 'fetched', 'shared']);
  t.equal(source.calls.length, 2);
});

t.test('keeps the old token while it is valid and the source fails, and tries once a minute', async (t) => {
  const { ask, source, clock, paid, renewalFailures, events } = start();
  source.lifeSec = 2 * 3600;
  await ask();
  await clock.advance(hour);
  const away = new Error('away');
  source.failure = away;
  t.equal(await ask(), 'token-1');
  t.strictSame(renewalFailures, [{ identity: 'demo', error: away }]);
  await clock.advance(minute - 1);
  t.equal(await ask(), 'token-1');
  t.equal(source.calls.length, 2, 'not sooner');
  await clock.advance(1);
  t.equal(await ask(), 'token-1');
  t.equal(source.calls.length, 3);
  t.same(paid, ['fetched', 'kept', 'kept', 'kept']);
  t.same(events, ['renewal-failed', 'renewal-failed']);
  await clock.advance(hour);
  t.equal((await failureOf(() => ask())).message, 'away', 'but no longer than it is valid');
  source.failure = undefined;
  t.equal(await ask(), 'token-5', 'and nothing of that is remembered');
});

t.test('does not keep a token that has run out while the source was asked', async (t) => {
  const { ask, source, clock } = start();
  source.lifeSec = 3600 + 300 + 1;
  await ask();
  await clock.advance(hour);
  const gate = Promise.withResolvers<void>();
  source.gate = gate.promise;
  source.failure = new Error('away');
  const failures = [failureOf(() => ask()), failureOf(() => ask())];
  await clock.advance(1_500);
  gate.resolve();
  for (const failure of failures) t.equal((await failure).message, 'away');
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
  t.equal(await ask(), 'token-2');
  t.match(renewalFailures, [{ error: { code: 'imds-garbled' } }]);
});

t.test('a renewal is told of like any other token', async (t) => {
  const { ask, clock, fetched } = start();
  await ask();
  await clock.advance(due);
  await ask();
  await settle();
  t.same(fetched, ['demo token-1', 'demo token-2']);
});

t.test('a source that never answers ends nobody else: the call is over after 15 seconds', async (t) => {
  const { ask, source, clock } = start();
  source.gate = new Promise(() => undefined);
  const failures = [refusalOf(() => ask()), refusalOf(() => ask())];
  await clock.advance(15_000);
  for (const failure of failures)
    t.strictSame(await failure, {
      code: 'imds-timeout',
      message: 'the source gave no token within 15000 ms',
    });
  source.gate = undefined;
  t.equal(await ask(), 'token-2');
});
