import t from 'tap';
import type { Pod } from '../../lib/model/pod.ts';
import { allow, deny, handle, isPod, pass, pod, tokenUrl, wait } from './handling.ts';

const look = 'callerOf 10.0.0.5';
const held = 'hold web 8000';

t.test('holds a request for an identity on its way, and pays once it is there', async (t) => {
  const { answer, stages, trace } = await handle(tokenUrl, {}, { decision: [wait, allow] });
  t.match(answer, { code: 'token', status: 200 });
  t.same(stages, [look, 'decide', held, look, 'decide', 'token']);
  t.equal(trace.refusal, undefined);
});

t.test('a hold in vain ends in a 404 that tells what is missing', async (t) => {
  const { answer, trace, upstream } = await handle(tokenUrl, {}, { decision: wait });
  t.match(answer, {
    code: 'not-assigned',
    status: 404,
    body: { error: 'not_found', error_description: 'The identity is not there yet. Because.' },
  });
  t.notOk('retry-after' in answer.headers);
  t.match(trace, { refusal: 'not-assigned', explanation: 'Because.' });
  t.same(upstream, []);
});

t.test('--set-retry-after-header makes it a 503 with Retry-After, and a denial stays a 400', async (t) => {
  const options = { setRetryAfterHeader: true };
  const { answer } = await handle(tokenUrl, {}, { decision: wait, options });
  t.match(answer, { code: 'not-assigned', status: 503, headers: { 'retry-after': '20' } });
  const denied = await handle(tokenUrl, {}, { decision: deny, options });
  t.equal(denied.answer.status, 400);
  t.notOk('retry-after' in denied.answer.headers);
});

t.test('what the wait brings may be a denial or an exception, too', async (t) => {
  const denied = await handle(tokenUrl, {}, { decision: [wait, deny] });
  t.match(denied.answer, { code: 'no-label', status: 400 });
  const excepted = await handle(tokenUrl, {}, { decision: [wait, pass] });
  t.equal(excepted.answer.body, 'from IMDS');
});

t.test('a pod that goes while it waits gets a 404, and nobody is paid for', async (t) => {
  const other: Pod = { ...pod, uid: '2', name: 'other' };
  const again: Pod = { ...pod, uid: '3' };
  const cases = [
    [{ kind: 'unknown' }, 'caller-unknown'],
    [{ kind: 'unsettled' }, 'caller-unsettled'],
    [{ kind: 'not-synced' }, 'not-synced'],
    [{ kind: 'pod', pod: other }, 'caller-unknown'],
    [{ kind: 'pod', pod: again }, 'caller-unknown'],
  ] as const;
  for (const [now, code] of cases) {
    const world = { caller: [isPod, now], decision: [wait, allow] };
    const { answer, stages, trace } = await handle(tokenUrl, {}, world);
    t.match(answer, { code, status: 404 });
    t.same(stages, [look, 'decide', held, look], 'nothing is decided for the one who came');
    t.equal(trace.pod, pod, 'the record names the one who asked');
  }
});

t.test('asks tokens for object ids only where a request names one that nothing known has', async (t) => {
  const byObject = `${tokenUrl}&object_id=o`;
  const learn = 'learnObjectIds r';
  const cases: [string, string, readonly [typeof deny | typeof allow, ...(typeof deny)[]], string[]][] = [
    ['known', byObject, [allow], ['decide', 'token']],
    ['excepted', byObject, [pass], ['decide', 'explain', 'passThrough']],
    ['learned', byObject, [deny, allow], ['decide', learn, 'decide', 'token']],
    ['not learned', byObject, [deny], ['decide', learn, 'decide', 'explain']],
    [
      'arrives',
      byObject,
      [wait, wait, deny, allow],
      ['decide', learn, 'decide', held, look, 'decide', learn, 'decide', 'token'],
    ],
    ['by client id', `${tokenUrl}&client_id=o`, [deny], ['decide', 'explain']],
    ['by resource id', `${tokenUrl}&msi_res_id=o`, [deny], ['decide', 'explain']],
    ['without an id', tokenUrl, [deny], ['decide', 'explain']],
  ];
  for (const [name, url, decision, expected] of cases) {
    const { stages, answer } = await handle(url, {}, { decision });
    t.same(stages, [look, ...expected], name);
    if (!expected.includes('token')) t.equal(answer.status, decision[0].kind === 'deny' ? 400 : 200, name);
  }
});

t.test('adds the api-version that an excepted pod left out, and keeps its own', async (t) => {
  const path = '/metadata/identity/oauth2/token';
  const cases: [string, string][] = [
    ['resource=r', 'resource=r&api-version=2018-02-01'],
    ['resource=r&my-api-version=1', 'resource=r&my-api-version=1&api-version=2018-02-01'],
    ['resource=r&api-version=2019-08-01', 'resource=r&api-version=2019-08-01'],
    ['api-version=&resource=r', 'api-version=&resource=r'],
  ];
  for (const [asked, query] of cases) {
    const { upstream } = await handle(`${path}?${asked}`, {}, { decision: pass });
    t.match(upstream, [{ method: 'GET', path }], asked);
    t.equal(upstream[0]?.query, query, asked);
  }
});
