import t from 'tap';
import { unlessAborted, waitFor } from '../../lib/platform/wait.ts';
import { FakeClock } from '../fakes/clock.ts';
import { failureOf } from '../fakes/failure.ts';

const { signal } = new AbortController();
const never = new Promise<never>(() => undefined);

t.test('is true as soon as the event comes, and leaves no timer', async (t) => {
  const clock = new FakeClock();
  const { promise, resolve } = Promise.withResolvers<void>();
  const waiting = waitFor(promise, 8000, { clock, signal });
  await clock.advance(7999);
  resolve();
  t.equal(await waiting, true);
  t.equal(clock.waiting, 0);
});

t.test('is true at once for what has come before', async (t) => {
  t.equal(await waitFor(Promise.resolve(), 0, { clock: new FakeClock(), signal }), true);
});

t.test('is false when the time is up', async (t) => {
  const clock = new FakeClock();
  const waiting = waitFor(never, 8000, { clock, signal });
  await clock.advance(8000);
  t.equal(await waiting, false);
});

t.test('is false when the asker has gone, and leaves no timer', async (t) => {
  const clock = new FakeClock();
  const gone = new AbortController();
  const waiting = waitFor(never, 8000, { clock, signal: gone.signal });
  await clock.advance(10);
  gone.abort();
  t.equal(await waiting, false);
  t.equal(clock.waiting, 0);
});

t.test('fails as the event fails, but not for a failure that comes too late', async (t) => {
  const clock = new FakeClock();
  const { promise, reject } = Promise.withResolvers<void>();
  const early = failureOf(() => waitFor(promise, 9000, { clock, signal }));
  const late = waitFor(promise, 100, { clock, signal });
  await clock.advance(100);
  reject(new Error('broken'));
  t.equal(await late, false);
  t.equal((await early).message, 'broken');
  t.equal(clock.waiting, 0);
});

t.test('unlessAborted: leaves work that does not notice the abort', async (t) => {
  const end = new AbortController();
  const stuck = unlessAborted(new Promise(() => undefined), end.signal);
  end.abort(new Error('late'));
  await t.rejects(stuck, { message: 'late' });
  await t.rejects(unlessAborted(new Promise(() => undefined), end.signal), { message: 'late' });
});

t.test("unlessAborted: gives the work's own end, and what comes later is dropped", async (t) => {
  const end = new AbortController();
  t.equal(await unlessAborted(Promise.resolve(7), end.signal), 7);
  await t.rejects(unlessAborted(Promise.reject(new Error('own')), end.signal), { message: 'own' });
  const slow = Promise.withResolvers<number>();
  const left = unlessAborted(slow.promise, end.signal);
  end.abort(new Error('late'));
  await t.rejects(left, { message: 'late' });
  slow.reject(new Error('nobody hears this'));
});
