import t from 'tap';
import { askerOf, inTurn, turnBy } from '../../lib/metadata/in-turn.ts';
import type { PassThrough, UpstreamRequest } from '../../lib/metadata/pass-through.ts';
import { type Answer, refuse } from '../../lib/metadata/reply.ts';
import type { Exchange } from '../../lib/metadata/stages.ts';
import { AppError } from '../../lib/model/errors.ts';
import type { Asker, Enter, Outcome, UpstreamKind } from '../../lib/model/turn.ts';
import { FakeClock } from '../fakes/clock.ts';
import { failureOf } from '../fakes/failure.ts';
import { events, pass as excepted, handle, instance, tokenPath, tokenUrl, wait } from './handling.ts';
import { get, never } from './passing.ts';

const answered: Answer = { code: 'upstream', status: 429, headers: { 'retry-after': '7' }, body: '{}' };

/** The pass-through behind a queue of the test's own. */
function start(answer: () => Promise<Answer> = async () => answered, turn?: Error) {
  const entered: [UpstreamKind, Asker, AbortSignal | undefined][] = [];
  const outcomes: Outcome[] = [];
  const passed: UpstreamRequest[] = [];
  const pass: PassThrough = async (request) => {
    passed.push(request);
    return answer();
  };
  const enter: Enter = async (kind, asker, signal) => {
    entered.push([kind, asker, signal]);
    if (turn) throw turn;
    return (outcome) => void outcomes.push(outcome);
  };
  const passThrough = inTurn(Object.assign(pass, { close: () => 'closed' }), enter);
  return { passThrough, entered, outcomes, passed };
}

t.test('passes a request after its turn, and tells what came of it', async (t) => {
  const { passThrough, entered, outcomes, passed } = start();
  const request = get();
  t.equal(await passThrough(request, never), answered);
  t.same(entered, [['pass', request.asker, never]]);
  t.same(passed, [request]);
  t.same(outcomes, [{ status: 429, retryAfter: '7' }]);
  t.equal(passThrough.close(), 'closed', 'it is the same in all else');
});

t.test('an answer of our own is none of IMDS', async (t) => {
  const { passThrough, outcomes } = start(async () => refuse('upstream-timeout'));
  await passThrough(get(), never);
  t.same(outcomes, ['unanswered']);
});

t.test('gives the turn back whatever happens', async (t) => {
  const { passThrough, outcomes } = start(() => Promise.reject(new Error('a bug')));
  await failureOf(() => passThrough(get(), never));
  t.same(outcomes, ['unanswered']);
});

t.test('answers 429 in JSON when no turn came, with the time to wait, and asks nothing', async (t) => {
  const { passThrough, passed } = start(undefined, new AppError('imds-busy', 'why', { retryAfter: '9' }));
  t.match(await passThrough(get(), never), {
    code: 'upstream-busy',
    status: 429,
    headers: { 'retry-after': '9' },
    body: { error: 'too_many_requests' },
  });
  t.same(passed, []);
});

t.test('a client that left the queue is nobody to answer', async (t) => {
  const { passThrough, passed } = start(undefined, new Error('aborted'));
  t.match(await passThrough(get(), never), { code: 'upstream-failed' });
  t.same(passed, []);
});

t.test('waits 8 s for a turn, and a minute for clients that retry nothing', async (t) => {
  const clock = new FakeClock();
  await clock.advance(1_000);
  t.equal(turnBy({ 'user-agent': 'azsdk-go-azidentity/1' }, clock), 9_000);
  t.equal(turnBy({ 'user-agent': 'curl/8' }, clock), 61_000);
});

t.test('asks in the name of the pod, else of its address, and never as the agent itself', async (t) => {
  const req = { socket: { remoteAddress: '::ffff:10.0.0.5' } };
  const exchange = { req, trace: { route: 'area' }, until: 7 } as unknown as Exchange;
  t.same(askerOf(exchange), { who: '10.0.0.5', until: 7 });
  t.same(askerOf({ ...exchange, req: { socket: {} } } as Exchange), { who: 'unknown', until: 7 });
  const trace = { route: 'token', pod: { namespace: 'apps', name: 'web' } };
  t.same(askerOf({ ...exchange, trace } as Exchange), { who: 'apps/web', until: 7 });
});

t.test('what goes to IMDS says for whom, and which of its limits it counts against', async (t) => {
  const post = { method: 'POST', headers: { metadata: 'true', 'content-length': '0' } };
  const cases: [string, object, object, UpstreamKind, string][] = [
    [instance, {}, {}, 'pass', 'apps/web'],
    [events, post, { decision: excepted }, 'pass', 'apps/web'],
    [tokenUrl, {}, { decision: excepted }, 'token', 'apps/web'],
    ['/metadata/identity/info?api-version=x', {}, { decision: excepted }, 'token', 'apps/web'],
    [`${tokenPath}?a=b`, post, { decision: excepted }, 'token', 'apps/web'],
  ];
  for (const [url, asked, world, kind, who] of cases) {
    const { upstream } = await handle(url, asked, world);
    t.match(upstream, [{ kind, asker: { who, until: 8_000 } }], url);
  }
});

t.test('tokens and object ids are asked for in the name of the pod', async (t) => {
  const asker = { who: 'apps/web', until: 8_000 };
  t.same((await handle(tokenUrl)).askers, [asker]);
  const learned = await handle(`${tokenUrl}&object_id=o`, {}, { decision: wait });
  t.same(learned.askers, [asker, asker]);
  const driver = { from: '127.0.0.1', headers: { podns: 'apps', podname: 'web' } };
  t.same((await handle('/host/token?resource=r', driver)).askers, [asker]);
});
