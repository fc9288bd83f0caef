import t from 'tap';
import { AppError, isAppError } from '../../lib/model/errors.ts';
import type { Token } from '../../lib/model/token.ts';
import { Broker } from '../../lib/tokens/broker.ts';
import { governed } from '../../lib/tokens/governed.ts';
import { Governor, type Meter } from '../../lib/tokens/governor.ts';
import type { TokenSource } from '../../lib/tokens/source.ts';
import { FakeClock } from '../fakes/clock.ts';
import { failureOf } from '../fakes/failure.ts';
import { anIdentity } from '../fakes/model.ts';
import { seeded } from '../fakes/random.ts';
import { hour, minute, vault } from './broker-rig.ts';
import { mostInASecond, ThrottledImds } from './throttled-imds.ts';

/** The broker and the governor in front of an IMDS that throttles. */

const nothing = (): void => undefined;
const mute: Meter = {
  standing: nothing,
  waited: nothing,
  called: nothing,
  refused: nothing,
  paused: nothing,
};

function brokerOf(clock: FakeClock, source: TokenSource): Broker {
  const hooks = { onPaid: nothing, onFetched: nothing, onRenewalFailed: nothing };
  return new Broker({ clock, sources: new Map([[0, source]]), random: () => 0, ...hooks });
}

function start(seed = 1) {
  const clock = new FakeClock();
  const imds = new ThrottledImds(clock, seeded(seed));
  return { clock, imds, broker: brokerOf(clock, governed(imds, new Governor(clock, mute).enter)) };
}

/** Moves time on until the work is done. */
async function done<T>(clock: FakeClock, work: Promise<T>, stepMs = 50): Promise<T> {
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  over.catch(nothing);
  for (let steps = 0; !isOver; steps++) {
    if (steps > 100_000) throw new Error('it does not end');
    await clock.advance(stepMs);
  }
  return over;
}

/** What SDKs do with a 429, as users-of-IMDS know them: pauses between their tries, and how long one may wait for its turn. */
const sdks = {
  'MSAL .NET, Java and JS': { pauses: [1_000, 2_000, 4_000], waitMs: 8_000 },
  'MSAL Go': { pauses: [1_000, 1_000], waitMs: 8_000 },
  'azidentity for Go': { pauses: [2_000, 4_000, 8_000, 16_000, 32_000], waitMs: 8_000 },
  'azure-identity for Python': { pauses: [0, 1_600, 3_200, 6_400, 12_800], waitMs: 8_000 },
  'MSAL Python, az, terraform, curl': { pauses: [], waitMs: 60_000 },
} as const;

interface Served {
  readonly token: Token;
  readonly tries: number;
  /** How long its longest request took, ms. */
  readonly longestMs: number;
}

async function ask(clock: FakeClock, broker: Broker, pod: number): Promise<Served> {
  const { pauses, waitMs } = Object.values(sdks)[pod % 5] as (typeof sdks)[keyof typeof sdks];
  let longestMs = 0;
  for (let tries = 1; ; tries++) {
    const began = clock.monotonic();
    const asker = { who: `apps/pod${pod}`, until: began + waitMs };
    try {
      const token = await broker.get(anIdentity({ clientId: `client-${pod}` }), vault, asker);
      return { token, tries, longestMs: Math.max(longestMs, clock.monotonic() - began) };
    } catch (error) {
      const pause = pauses[tries - 1];
      if (!isAppError(error, 'imds-busy') || pause === undefined) throw error;
      longestMs = Math.max(longestMs, clock.monotonic() - began);
      await clock.sleep(pause);
    }
  }
}

t.test(
  '200 pods that start cold are all served within their SDKs own tries, and IMDS throttles none',
  async (t) => {
    for (const seed of [1, 2, 3]) {
      const { clock, imds, broker } = start(seed);
      const pods = Array.from({ length: 200 }, (_, pod) => ask(clock, broker, pod));
      const served = await done(clock, Promise.all(pods));
      for (const [pod, { token }] of served.entries())
        t.match(token.accessToken, new RegExp(`^client-${pod} ${vault} `), `pod ${pod}`);
      t.equal(imds.throttled, 0);
      t.equal(imds.mostInFlight, 5);
      t.ok(mostInASecond(imds.arrivals) <= 20);
      t.equal(imds.arrivals.length, 200, 'one call each');
      t.ok(clock.monotonic() < 13_000, `${clock.monotonic()} ms in all`);
      const patient = served.filter((_, pod) => pod % 5 !== 4);
      t.ok(
        patient.every(({ longestMs }) => longestMs < 10_000),
        'no request takes as long as clients were seen to wait',
      );
    }
  },
);

t.test('the same pods throttle each other where nobody governs', async (t) => {
  const clock = new FakeClock();
  const imds = new ThrottledImds(clock);
  const broker = brokerOf(clock, imds);
  const pods = Array.from({ length: 200 }, (_, pod) => ask(clock, broker, pod));
  await done(clock, Promise.allSettled(pods));
  t.ok(imds.throttled > 100);
});

t.test('10,000 requests of one identity and resource cost IMDS one call', async (t) => {
  const { clock, imds, broker } = start();
  const identity = anIdentity();
  const once = (i: number): Promise<Token> =>
    broker.get(identity, vault, { who: `apps/pod${i % 110}`, until: clock.monotonic() + 8_000 });
  const cold = Array.from({ length: 5_000 }, (_, i) => once(i));
  await done(clock, Promise.all(cold));
  for (let i = 0; i < 5_000; i++) await once(i);
  t.equal(imds.arrivals.length, 1);
});

t.test('one pod that asks for many tokens delays nobody else by more than a turn', async (t) => {
  const { clock, imds, broker } = start();
  const until = 8_000;
  const greedy = Array.from({ length: 20 }, (_, i) =>
    broker.get(anIdentity(), `api://${i}`, { who: 'apps/greedy', until }),
  );
  const shared = broker.get(anIdentity(), 'api://19', { who: 'apps/same', until });
  const other = broker.get(anIdentity(), vault, { who: 'apps/other', until });
  await done(clock, Promise.all([shared, other]), 10);
  t.ok(
    imds.arrivals.length < 15,
    `after ${imds.arrivals.length} calls, also for what stands last in the greedy line`,
  );
  await done(clock, Promise.all(greedy));
  t.equal(imds.arrivals.length, 21);
});

t.test('a renewal that nobody waits for lets pods go first', async (t) => {
  const { clock, imds, broker } = start();
  const old = anIdentity({ clientId: 'old' });
  await done(clock, broker.get(old, vault));
  await clock.advance(55 * minute);
  const crowd = (from: number): Promise<Token>[] =>
    Array.from({ length: 20 }, (_, i) =>
      broker.get(anIdentity(), `api://${from + i}`, {
        who: `apps/pod${i}`,
        until: clock.monotonic() + 8_000,
      }),
    );
  const early = crowd(0);
  await broker.get(old, vault, { who: 'apps/web', until: 0 });
  await done(clock, Promise.all([...early, ...crowd(20)]));
  await clock.advance(2_000);
  t.equal((await broker.get(old, vault)).accessToken, `old ${vault} 42`, 'it came last of all');
  t.equal(imds.arrivals.length, 42);
});

t.test('IMDS away for 30 minutes: every valid token goes on being served', async (t) => {
  const outages = {
    unreachable: new AppError('imds-unreachable', 'away'),
    hang: 'hang',
    updating: new AppError('imds-refused', 'IMDS answered 410', { status: 410 }),
    throttled: new AppError('imds-refused', 'IMDS answered 429', { status: 429, retryAfter: '86400' }),
  } as const;
  for (const [name, away] of Object.entries(outages)) {
    const { clock, imds, broker } = start();
    const identities = Array.from({ length: 10 }, (_, i) => anIdentity({ clientId: `client-${i}` }));
    const askAll = (): Promise<Token[]> =>
      done(
        clock,
        Promise.all(
          identities.map((one) =>
            broker.get(one, vault, { who: `apps/${one.clientId}`, until: clock.monotonic() + 8_000 }),
          ),
        ),
        500,
      );
    const first = await askAll();
    await clock.advance(45 * minute);
    imds.away = away;
    const until = clock.monotonic() + 30 * minute;
    const before = imds.arrivals.length;
    while (clock.monotonic() < until) {
      const served = await askAll();
      t.same(served, first, `${name}: the tokens in hand serve`);
      await clock.advance(20_000);
    }
    const tries = imds.arrivals.length - before;
    t.ok(tries > 0 && tries <= 10 * 21, `${name}: ${tries} tries, one a minute for each at most`);
    imds.away = undefined;
    await clock.advance(2 * minute);
    await askAll();
    await clock.advance(10_000);
    const renewed = await askAll();
    for (const [i, token] of renewed.entries()) t.not(token, first[i], `${name}: and are renewed then`);
    t.equal(imds.throttled, 0);
  }
});

t.test(
  'an identity that is gone from the machine is gone at once, and no other answer takes a token away',
  async (t) => {
    const body = '{"error":"invalid_request","error_description":"Identity not found"}';
    const { clock, imds, broker } = start();
    const get = (): Promise<Token> => done(clock, broker.get(anIdentity(), vault));
    const token = await get();
    for (const status of [404, 410, 429, 500, 503]) {
      imds.away = new AppError('imds-refused', 'why', { status, answer: { status, body } });
      await clock.advance(hour + minute);
      t.equal(await get(), token, `${status}`);
    }
    imds.away = new AppError('imds-refused', 'IMDS answered 400', {
      status: 400,
      answer: { status: 400, body },
    });
    await clock.advance(2 * minute);
    t.match(await failureOf(get), { code: 'imds-refused', status: 400 });
    t.equal(broker.size, 0);
    t.match(await failureOf(get), { status: 400 }, 'and stays gone');
  },
);
