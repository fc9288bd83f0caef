import t from 'tap';
import { AppError } from '../../lib/model/errors.ts';
import type { Asker, Leave, Outcome } from '../../lib/model/turn.ts';
import { Flight } from '../../lib/tokens/flight.ts';
import { FakeClock, settle } from '../fakes/clock.ts';
import { refusalOf } from '../fakes/failure.ts';

const token = { accessToken: 'secret', expiresOn: 2, notBefore: 1, tokenType: 'Bearer' };
const busy = new AppError('imds-busy', 'no turn');

interface Place {
  readonly asker: Asker;
  readonly signal: AbortSignal;
  /** Its turn has come. */
  begin(): void;
  refuse(): void;
}

/** A flight whose queue the test decides. */
function start(answer: () => Promise<typeof token> = async () => token) {
  const clock = new FakeClock();
  const places: Place[] = [];
  const outcomes: Outcome[] = [];
  const over: unknown[] = [];
  let calls = 0;
  const leave: Leave = (outcome) => void outcomes.push(outcome);
  const flight = new Flight({
    clock,
    enter: (asker, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
        places.push({ asker, signal, begin: () => resolve(leave), refuse: () => reject(busy) });
      }),
    call: () => {
      calls += 1;
      return answer();
    },
    onOver: (failure) => void over.push(failure?.error ?? 'paid'),
  });
  const join = (who: string, until = 8_000) => flight.join({ who, until });
  return { clock, places, outcomes, over, join, calls: () => calls };
}

t.test(
  'the first turn of any who joined begins the one call, and the other places are given up',
  async (t) => {
    const { join, places, outcomes, over, calls } = start();
    const joined = [join('a'), join('b'), join('c')];
    t.same(
      places.map(({ asker }) => asker.who),
      ['a', 'b', 'c'],
    );
    places[1]?.begin();
    t.same(await Promise.all(joined), [token, token, token]);
    t.ok(places[0]?.signal.aborted);
    t.equal(calls(), 1);
    t.same(outcomes, [{ status: 200, retryAfter: undefined }]);
    t.same(over, ['paid']);
  },
);

t.test('two turns that come at once make one call, and the second is given back', async (t) => {
  const { join, places, outcomes, calls } = start();
  const joined = [join('a'), join('b')];
  for (const place of places) place.begin();
  await Promise.all(joined);
  t.equal(calls(), 1);
  t.same(outcomes.toSorted(), ['unused', { status: 200, retryAfter: undefined }].toSorted());
});

t.test('a pod stands once, however many of its requests join, unless one would wait less long', async (t) => {
  const { join, places } = start();
  for (const until of [8_000, 9_000, 8_000, 5_000, 6_000, 60_000]) join('a', until).catch(() => undefined);
  t.same(
    places.map(({ asker }) => asker.until),
    [8_000, 5_000],
  );
});

t.test('who waited in vain is told at once, and the others wait on', async (t) => {
  const { join, places, over } = start();
  const [first, second] = [refusalOf(() => join('a')), join('b')];
  places[0]?.refuse();
  t.match(await first, { code: 'imds-busy' });
  t.same(over, []);
  const again = join('a');
  t.equal(places.length, 3, 'and may stand anew');
  places[1]?.begin();
  t.same([await second, await again], [token, token]);
});

t.test('when nobody is left in the queue, it is over without a call', async (t) => {
  const { join, places, over, calls } = start();
  const refusals = [refusalOf(() => join('a')), refusalOf(() => join('b'))];
  for (const place of places) place.refuse();
  for (const refusal of refusals) t.match(await refusal, { code: 'imds-busy' });
  t.same(over, [busy]);
  t.equal(calls(), 0);
});

t.test('who joins a call under way stands in no queue', async (t) => {
  const gate = Promise.withResolvers<typeof token>();
  const { join, places } = start(() => gate.promise);
  const first = join('a');
  places[0]?.begin();
  await settle();
  const second = join('b');
  t.equal(places.length, 1);
  gate.resolve(token);
  t.same([await first, await second], [token, token]);
});

t.test('its deadline counts from its turn, and nothing of the wait before', async (t) => {
  const { join, places, clock, outcomes } = start(() => new Promise(() => undefined));
  const failed = refusalOf(() => join('a', 60_000));
  await clock.advance(59_000);
  places[0]?.begin();
  await clock.advance(14_999);
  t.same(outcomes, []);
  await clock.advance(1);
  t.match(await failed, { code: 'imds-timeout' });
  t.same(outcomes, ['unanswered']);
});

t.test('tells the governor what came of the call', async (t) => {
  const cases: [unknown, Outcome][] = [
    [new AppError('imds-refused', '', { status: 429, retryAfter: '7' }), { status: 429, retryAfter: '7' }],
    [new AppError('imds-refused', '', { status: 400 }), { status: 400, retryAfter: undefined }],
    [new AppError('imds-unreachable', ''), 'unanswered'],
    [new Error('a bug'), 'unanswered'],
  ];
  for (const [error, outcome] of cases) {
    const { join, places, outcomes, over } = start(() => Promise.reject(error));
    const failed = join('a').catch((told: unknown) => told);
    places[0]?.begin();
    t.equal(await failed, error);
    t.same(outcomes, [outcome]);
    t.same(over, [error]);
  }
});
