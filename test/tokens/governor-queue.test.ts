import t from 'tap';
import { settle } from '../fakes/clock.ts';
import { refusalOf } from '../fakes/failure.ts';
import { ok, serveAll, start } from './governor-rig.ts';

/** Five that hold their turns, so that all others wait. */
async function busy() {
  const rig = start();
  for (const who of ['v', 'w', 'x', 'y', 'z']) rig.ask(who);
  await settle();
  return rig;
}

t.test('takes 20 calls of one pod into the queue, and what others ask beside', async (t) => {
  const rig = await busy();
  for (let i = 0; i < 21; i++) rig.ask('greedy');
  await settle();
  t.same(rig.refused, ['greedy 1']);
  rig.ask('greedy', { kind: 'pass' });
  rig.ask('other');
  await settle();
  t.equal(rig.refused.length, 1, 'tokens and documents are apart');
  t.match(await refusalOf(() => rig.governor.enter('token', { who: 'greedy', until: 9_999 })), {
    code: 'imds-busy',
    message: 'too many calls to IMDS wait already',
  });
  t.equal(rig.told.filter((told) => told === 'token full').length, 2);
});

t.test('takes 5,000 in all, and 500 of its own', async (t) => {
  const rig = await busy();
  for (let i = 0; i < 501; i++) rig.ask('');
  await settle();
  t.equal(rig.refused.length, 1);
  for (let i = 0; i < 4_501; i++) rig.ask(`pod${i}`);
  await settle();
  t.equal(rig.refused.length, 2);
  t.equal(rig.refused[1], 'pod4500 60', 'nobody is told to stay away for longer than a minute');
});

t.test('sends everybody away when his time is over, and no sooner', async (t) => {
  const rig = await busy();
  rig.ask('patient', { waitMs: 60_000 });
  rig.ask('usual');
  await rig.clock.advance(1_000);
  rig.ask('later');
  await rig.clock.advance(6_999);
  t.same(rig.refused, []);
  await rig.clock.advance(1);
  t.same(rig.refused, ['usual 1']);
  await rig.clock.advance(1_000);
  t.same(rig.refused, ['usual 1', 'later 1']);
  rig.leaves[0]?.(ok);
  await settle();
  t.same(rig.started.slice(5), ['patient']);
  t.equal(rig.clock.waiting, 0, 'no timer when nobody waits');
  t.same(rig.told.slice(-3), ['token late', 'token 200', 'token waited 9000']);
});

t.test('one whose time is over when it comes is served if there is room, and not else', async (t) => {
  const rig = start();
  rig.ask('a', { waitMs: -1 });
  await settle();
  t.same(rig.started, ['a']);
  for (const who of ['b', 'c', 'd', 'e']) rig.ask(who);
  rig.ask('late', { waitMs: 0 });
  await settle();
  t.same(rig.refused, ['late 1']);
});

t.test('who leaves the queue is not called, and leaves no gap', async (t) => {
  const rig = await busy();
  const client = new AbortController();
  rig.ask('gone', { signal: client.signal });
  rig.ask('next');
  client.abort();
  await settle();
  t.same(rig.refused, ['gone AbortError']);
  t.same(rig.standing.token, { inFlight: 5, queued: 1 });
  rig.leaves[0]?.(ok);
  await settle();
  t.same(rig.started.slice(5), ['next']);
  rig.ask('never', { signal: AbortSignal.abort() });
  const late = new AbortController();
  rig.ask('served', { signal: late.signal });
  rig.leaves[1]?.(ok);
  await settle();
  late.abort();
  t.same(rig.started.slice(6), ['served'], 'an abort takes no turn away');
});

t.test('has one timer for all who wait', async (t) => {
  const rig = await busy();
  for (let i = 0; i < 200; i++) rig.ask(`pod${i}`, { waitMs: 1_000 + i });
  await settle();
  t.equal(rig.clock.waiting, 1);
});

t.test('a 429 holds its kind back for as long as IMDS says, and the other goes on', async (t) => {
  const rig = start();
  rig.ask('a');
  await settle();
  rig.leaves.shift()?.({ status: 429, retryAfter: '3' });
  rig.ask('b');
  rig.ask('doc', { kind: 'pass' });
  await rig.clock.advance(2_999);
  t.same(rig.started, ['a', 'doc']);
  t.same(
    rig.told.filter((told) => told.includes('paused')),
    ['token paused 3000'],
  );
  await rig.clock.advance(1);
  t.same(rig.started, ['a', 'doc', 'b']);
});

t.test('holds back for a second when a 429 says nothing usable, and for a minute at most', async (t) => {
  const cases: [number, string | undefined, number][] = [
    [429, undefined, 1_000],
    [429, '0', 1_000],
    [429, 'soon', 1_000],
    [429, 'Thu, 01 Jan 2026 00:00:05 GMT', 5_000],
    [429, '86400', 60_000],
    [503, '2', 2_000],
    [503, 'soon', 1_000],
    [503, undefined, 0],
    [200, '2', 0],
    [404, undefined, 0],
  ];
  for (const [status, retryAfter, ms] of cases) {
    const rig = start();
    rig.ask('a');
    await settle();
    rig.leaves.shift()?.({ status, retryAfter });
    rig.ask('b', { waitMs: 70_000 });
    await settle();
    const name = `${status} ${retryAfter}`;
    t.equal(rig.started.length, ms === 0 ? 2 : 1, name);
    if (ms === 0) continue;
    await rig.clock.advance(ms - 1);
    t.equal(rig.started.length, 1, name);
    await rig.clock.advance(1);
    t.equal(rig.started.length, 2, name);
  }
});

t.test('tells who is refused how long IMDS wants to be left alone', async (t) => {
  const rig = start();
  rig.ask('a');
  await settle();
  rig.leaves.shift()?.({ status: 429, retryAfter: '30' });
  rig.ask('b');
  await rig.clock.advance(8_000);
  t.same(rig.refused, ['b 22']);
  rig.ask('c', { waitMs: 60_000 });
  await serveAll(rig, 1_000);
  t.same(rig.started, ['a', 'c']);
});
