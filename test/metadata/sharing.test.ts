import t from 'tap';
import type { PassThrough, UpstreamRequest } from '../../lib/metadata/pass-through.ts';
import { type Answer, busy } from '../../lib/metadata/reply.ts';
import { sharing } from '../../lib/metadata/sharing.ts';
import { AppError } from '../../lib/model/errors.ts';
import type { Enter } from '../../lib/model/turn.ts';
import { settle } from '../fakes/clock.ts';
import { get, never } from './passing.ts';

const answerOf = (body: string): Answer => ({ code: 'upstream', status: 200, headers: {}, body });

/** Turns that come when the test says so, and an IMDS that answers when it says so. */
function start() {
  const turns: PromiseWithResolvers<void>[] = [];
  const calls: {
    readonly request: UpstreamRequest;
    readonly signal: AbortSignal;
    answer(body: string): void;
  }[] = [];
  const enter: Enter = async (_kind, _asker, signal) => {
    const turn = Promise.withResolvers<void>();
    signal?.addEventListener('abort', () => turn.reject(signal.reason));
    turns.push(turn);
    await turn.promise;
    return () => undefined;
  };
  const pass: PassThrough = (request, signal) => {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    calls.push({ request, signal, answer: (body) => resolve(answerOf(body)) });
    return promise;
  };
  return { ask: sharing(pass, enter), turns, calls };
}

t.test(
  'who asks for a document that another waits to ask for gets the same answer, of one call',
  async (t) => {
    const { ask, turns, calls } = start();
    const asked = Promise.all(
      [1, 2, 3].map((n) =>
        ask(get({ metadata: 'true', 'user-agent': `pod ${n}` }, '/metadata/instance', 'a=1'), never),
      ),
    );
    await settle();
    t.equal(turns.length, 3, 'each waits in a line of its own');
    turns[1]?.resolve();
    await settle();
    t.same(calls[0]?.request.headers, { metadata: 'true' });
    calls[0]?.answer('document');
    t.same(
      (await asked).map(({ body }) => body),
      ['document', 'document', 'document'],
    );
    t.equal(calls.length, 1);
  },
);

t.test('nobody joins a call that has begun', async (t) => {
  const { ask, turns, calls } = start();
  const first = ask(get(), never);
  turns[0]?.resolve();
  await settle();
  const second = ask(get(), never);
  t.equal(turns.length, 2);
  turns[1]?.resolve();
  await settle();
  calls[0]?.answer('old');
  calls[1]?.answer('new');
  t.same([(await first).body, (await second).body], ['old', 'new']);
});

t.test('shares nothing that differs, and nothing that is not the same for everybody', async (t) => {
  const { ask, turns } = start();
  const different: UpstreamRequest[] = [
    get({}, '/metadata/instance', 'a=1'),
    get({}, '/metadata/instance', 'a=2'),
    get({}, '/metadata/versions', 'a=1'),
    get({ metadata: 'true' }, '/metadata/instance', 'a=1'),
    get({ accept: 'text/plain' }, '/metadata/instance', 'a=1'),
    ...[1, 2].map(() => ({ ...get({}, '/metadata/scheduledevents'), method: 'POST' as const })),
    ...[1, 2].map(() => get({}, '/metadata/identity/info')),
    ...[1, 2].map(() => ({ ...get({}, '/metadata/identity/oauth2/token'), kind: 'token' as const })),
  ];
  for (const request of different) void ask(request, never);
  await settle();
  t.equal(turns.length, different.length);
});

t.test('a client that leaves takes the call from nobody; when the last has left, it ends', async (t) => {
  const { ask, turns, calls } = start();
  const clients = [new AbortController(), new AbortController()];
  const asked = clients.map(({ signal }) => ask(get(), signal));
  turns[0]?.resolve();
  await settle();
  clients[0]?.abort();
  t.match(await asked[0], { code: 'upstream-failed' });
  t.equal(calls[0]?.signal.aborted, false);
  clients[1]?.abort();
  t.match(await asked[1], { code: 'upstream-failed' });
  t.equal(calls[0]?.signal.aborted, true);
});

t.test('who gets no turn in his own time is told so, and the others wait on', async (t) => {
  const { ask, turns, calls } = start();
  const first = ask(get(), never);
  const second = ask(get(), never);
  turns[0]?.reject(new AppError('imds-busy', 'no turn', { retryAfter: '1' }));
  t.match(await first, busy('1'));
  turns[1]?.resolve();
  await settle();
  calls[0]?.answer('mine');
  t.equal((await second).body, 'mine');
});
