import t from 'tap';
import { Throttle } from '../../lib/assign/throttle.ts';
import type { HttpResponse } from '../../lib/platform/http.ts';
import { FakeClock } from '../fakes/clock.ts';
import { vm, vmss } from './arm-rig.ts';

const left = { 'x-ms-ratelimit-remaining-subscription-reads': '11000' };

function answer(status: number, headers: Record<string, string> = {}, message = ''): HttpResponse {
  const body = JSON.stringify({ error: { code: 'TooManyRequests', message } });
  return { status, headers, retryAfter: headers['retry-after'], body };
}

t.test('waits as long as ARM says, half a minute where it does not, and an hour at most', async (t) => {
  const cases: [string | undefined, number][] = [
    ['7', 7_000],
    ['0', 1_000],
    ['Thu, 01 Jan 2026 00:02:00 GMT', 120_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 1_000],
    ['soon', 30_000],
    [undefined, 30_000],
    ['999999999', 3_600_000],
  ];
  for (const [retryAfter, ms] of cases) {
    const clock = new FakeClock();
    const throttle = new Throttle(clock);
    throttle.note(vm, answer(429, retryAfter === undefined ? {} : { 'retry-after': retryAfter }));
    t.equal(throttle.waitMs(vm), ms, String(retryAfter));
    await clock.advance(ms);
    t.equal(throttle.waitMs(vm), 0);
  }
});

t.test('a shorter wait never ends a longer one', async (t) => {
  const throttle = new Throttle(new FakeClock());
  throttle.note(vm, answer(429, { 'retry-after': '60' }));
  throttle.note(vm, answer(429, { 'retry-after': '5' }));
  t.equal(throttle.waitMs(vm), 60_000);
});

t.test('a limit is the whole subscription’s unless ARM’s count for it says that it is not', async (t) => {
  const policies = 'Microsoft.Compute/HighCostGet3Min;46';
  const cases: [string, HttpResponse, boolean][] = [
    ['no count', answer(429), true],
    ['count used up', answer(429, { 'x-ms-ratelimit-remaining-subscription-writes': '0' }), true],
    ['count left', answer(429, left), false],
    [
      'count left, and a policy’s',
      answer(429, { ...left, 'x-ms-ratelimit-remaining-resource': policies }),
      false,
    ],
    [
      'count left, in words',
      answer(429, left, 'too many requests have been received for this subscription.'),
      true,
    ],
    ['count left, the machine’s id in words', answer(429, left, 'too many for /subscriptions/s/x'), false],
    ['trouble of the machine', answer(503, { 'retry-after': '30' }), false],
  ];
  for (const [what, response, isShared] of cases) {
    const throttle = new Throttle(new FakeClock());
    throttle.note(vm, response);
    t.equal(throttle.waitMs(vm), 30_000, what);
    t.equal(throttle.waitMs({ ...vmss, subscription: 'SUB1' }), isShared ? 30_000 : 0, what);
  }
});

t.test('no other answer holds anything back', async (t) => {
  const throttle = new Throttle(new FakeClock());
  for (const status of [200, 202, 400, 403, 409, 500, 503]) throttle.note(vm, answer(status));
  throttle.note(vm, answer(202, { 'retry-after': '30' }));
  t.equal(throttle.waitMs(vm), 0);
});

t.test('tells what is left of each limit, by names that are known or a policy’s', async (t) => {
  const told: string[] = [];
  const throttle = new Throttle(new FakeClock(), (...one) => told.push(one.join(' ')));
  const resource =
    'Microsoft.Compute/GetVM3Min;237, Microsoft.Compute/GetVM30Min;1200,Evil/x;1,Microsoft.Compute/a b;3,x';
  throttle.note(
    vm,
    answer(200, {
      ...left,
      'x-ms-ratelimit-remaining-resource': resource,
      'x-ms-ratelimit-remaining-tenant-reads': '5',
    }),
  );
  t.same(told, [
    'sub1 subscription-reads 11000',
    'sub1 Microsoft.Compute/GetVM3Min 237',
    'sub1 Microsoft.Compute/GetVM30Min 1200',
  ]);
});
