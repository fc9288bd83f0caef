import t from 'tap';
import { AppError, type ErrorCode, type UpstreamAnswer } from '../../lib/model/errors.ts';
import {
  type Asked,
  deny,
  events,
  handle,
  identity,
  instance,
  pass,
  pod,
  tokenPath,
  tokenUrl,
  type World,
} from './handling.ts';

t.test('checks in the order of the contract: of two faults the first in this list is told', async (t) => {
  const forwarded = { metadata: 'true', 'x-forwarded-for': '1.2.3.4' };
  const unknown: World = { caller: { kind: 'unknown' } };
  const cases: [string, string, Asked, World, string][] = [
    ['path before all else', '/metadata//instance', { headers: {} }, {}, 'path-refused'],
    ['unknown path before the header', '/latest/meta-data', { headers: {} }, {}, 'path-unknown'],
    [
      'a body before the method',
      tokenUrl,
      { method: 'PUT', headers: { 'content-length': '1' } },
      {},
      'body-refused',
    ],
    ['the method before the header', tokenUrl, { method: 'PUT', headers: {} }, {}, 'method-refused'],
    [
      'no such identity path before the header',
      '/metadata/identity/info',
      { headers: {} },
      {},
      'path-unknown',
    ],
    [
      'the header before X-Forwarded-For',
      tokenUrl,
      { headers: { 'x-forwarded-for': 'x' } },
      {},
      'no-metadata-header',
    ],
    ['the header before the query', tokenPath, { headers: {} }, unknown, 'no-metadata-header'],
    ['X-Forwarded-For before the query', tokenPath, { headers: forwarded }, unknown, 'forwarded-for'],
    [
      'the header before the block',
      instance,
      { headers: {} },
      { options: { blockInstanceMetadata: true } },
      'no-metadata-header',
    ],
    ['the query before the caller', tokenPath, {}, unknown, 'resource-missing'],
    ['the query before the caller', `${tokenUrl}&resource=r`, {}, unknown, 'query-duplicate'],
    ['the query before the caller', `${tokenUrl}&resource2=%`, {}, unknown, 'query-malformed'],
    ['the query before the caller', `${tokenUrl}&client_id=a&object_id=b`, {}, unknown, 'two-identities'],
    ['the caller before the decision', tokenUrl, {}, { ...unknown, decision: deny }, 'caller-unknown'],
  ];
  for (const [name, url, asked, world, code] of cases) {
    const { answer, stages } = await handle(url, asked, world);
    t.equal(answer.code, code, `${name}: ${url}`);
    if (!code.startsWith('caller')) t.same(stages, [], `${name}: no look-up`);
  }
});

t.test('the header must be exactly true', async (t) => {
  for (const metadata of ['True', 'TRUE', '1', '', 'true, true', 'true;']) {
    t.match((await handle(tokenUrl, { headers: { metadata } })).answer, {
      code: 'no-metadata-header',
      status: 400,
    });
  }
});

t.test('pays for a token and answers in IMDS words', async (t) => {
  const { answer, trace, stages } = await handle(`${tokenUrl}&client_id=client-1`);
  t.same(stages, ['callerOf 10.0.0.5', 'decide', 'token']);
  t.match(answer, { code: 'token', status: 200 });
  const body = JSON.parse(answer.body as string) as Record<string, string>;
  t.match(body, { access_token: 'a', client_id: 'client-1', expires_in: '1000', resource: 'r' });
  t.match(trace, { route: 'token', pod, identity, resource: 'r' });
});

t.test('answers each end of the token path', async (t) => {
  const failing = (code: ErrorCode, answer?: UpstreamAnswer): World => ({
    token: () => Promise.reject(new AppError(code, 'why', answer ? { answer } : {})),
  });
  const refusal = { status: 429, body: '{"error":"x"}', retryAfter: '7' };
  const cases: [World, string, number][] = [
    [{ caller: { kind: 'unknown' } }, 'caller-unknown', 404],
    [{ caller: { kind: 'unsettled' } }, 'caller-unsettled', 404],
    [{ caller: { kind: 'not-synced' } }, 'not-synced', 404],
    [{ decision: deny }, 'no-label', 400],
    [failing('imds-refused', refusal), 'upstream', 429],
    [failing('imds-refused'), 'upstream-failed', 502],
    [failing('imds-unreachable'), 'upstream-failed', 502],
    [failing('imds-garbled'), 'upstream-failed', 502],
    [failing('imds-timeout'), 'upstream-timeout', 504],
    [failing('imds-busy'), 'upstream-busy', 429],
    [failing('identity-type-unsupported'), 'type-unsupported', 400],
  ];
  for (const [world, code, status] of cases) {
    const { answer, upstream } = await handle(tokenUrl, {}, world);
    t.match(answer, { code, status }, `${code} ${status}`);
    t.same(upstream, [], 'nothing is passed through');
  }
  t.match((await handle(tokenUrl, {}, failing('imds-refused', refusal))).answer.headers, {
    'retry-after': '7',
  });
  const busy = new AppError('imds-busy', 'why', { retryAfter: '9' });
  t.match((await handle(tokenUrl, {}, { token: () => Promise.reject(busy) })).answer.headers, {
    'retry-after': '9',
  });
  t.match((await handle(tokenUrl, {}, failing('imds-timeout'))).trace.error, { code: 'imds-timeout' });
  t.match((await handle(tokenUrl, {}, { decision: deny })).trace, { explanation: 'Because.' });
  const bug: World = { token: () => Promise.reject(new Error('a bug')) };
  await t.rejects(handle(tokenUrl, {}, bug), /a bug/, 'what nobody expected is the server’s to answer');
});

t.test('open areas pass for every pod of this node, whatever it may have, and for nobody else', async (t) => {
  const { answer, stages, upstream, trace } = await handle(
    '/METADATA/instance/compute/?a=b',
    {},
    { decision: deny },
  );
  t.equal(answer.body, 'from IMDS');
  t.same(stages, ['callerOf 10.0.0.5', 'passThrough']);
  t.match(upstream, [
    { method: 'GET', path: '/metadata/instance/compute', query: 'a=b', body: { length: 0 } },
  ]);
  t.equal(trace.route, 'area');
  for (const kind of ['unknown', 'unsettled', 'not-synced'] as const) {
    const other = await handle('/metadata/attested/document?a=b', {}, { caller: { kind } });
    t.same(other.upstream, [], kind);
    t.ok(other.answer.status >= 400, kind);
  }
});

t.test('--block-instance-metadata blocks instance and attested for all', async (t) => {
  const world: World = { options: { blockInstanceMetadata: true }, decision: pass };
  for (const url of [
    instance,
    '/metadata/instance/compute',
    '/METADATA/instance/',
    '/metadata/attested/document',
  ]) {
    t.match((await handle(url, {}, world)).answer, { code: 'area-blocked', status: 403 }, url);
  }
  for (const url of [events, '/metadata/versions', '/metadata/loadbalancer', tokenUrl]) {
    t.equal((await handle(url, {}, world)).answer.status, 200, url);
  }
});

t.test(
  '--metadata-header-required=false and --reject-forwarded-for=false let go of their check alone',
  async (t) => {
    const noHeader: World = { options: { metadataHeaderRequired: false } };
    t.equal((await handle(tokenUrl, { headers: {} }, noHeader)).answer.status, 200);
    t.equal(
      (await handle(tokenUrl, { headers: { 'x-forwarded-for': '' } }, noHeader)).answer.code,
      'forwarded-for',
    );
    const forwarded: World = { options: { rejectForwardedFor: false } };
    t.equal(
      (await handle(tokenUrl, { headers: { metadata: 'true', 'x-forwarded-for': 'x' } }, forwarded)).answer
        .status,
      200,
    );
    t.equal(
      (await handle(tokenUrl, { headers: { 'x-forwarded-for': 'x' } }, forwarded)).answer.code,
      'no-metadata-header',
    );
  },
);
