import t from 'tap';
import { type Asked, allow, deny, events, handle, instance, pass, tokenPath, tokenUrl } from './handling.ts';

t.test(
  'to a pod that is not excepted, the rest of identity does not exist and nothing is written',
  async (t) => {
    const post = { method: 'POST' };
    const withBody: Asked = {
      method: 'POST',
      headers: { metadata: 'true', 'content-length': '2' },
      body: Buffer.from('{}'),
    };
    const cases: [string, Asked, string, boolean][] = [
      ['/metadata/identity/info', {}, 'path-unknown', false],
      ['/metadata/identity/issuecredential', post, 'path-unknown', false],
      ['/metadata/identity/issuecredential', withBody, 'path-unknown', true],
      ['/metadata/identity/info', { method: 'DELETE' }, 'path-unknown', false],
      [tokenUrl, post, 'method-refused', false],
      [tokenUrl, withBody, 'body-refused', true],
      [events, post, 'method-refused', false],
      [events, withBody, 'body-refused', true],
    ];
    for (const decision of [allow, deny]) {
      for (const [url, asked, code, close] of cases) {
        const { answer, upstream } = await handle(url, asked, { decision });
        t.match(answer, { code, close }, `${asked.method} ${url}`);
        t.same(upstream, []);
      }
    }
    for (const kind of ['unknown', 'unsettled', 'not-synced'] as const) {
      const { answer, upstream } = await handle(events, withBody, { caller: { kind }, decision: pass });
      t.match(answer, { status: 404, close: true }, kind);
      t.same(upstream, []);
    }
  },
);

t.test('an excepted pod passes as the node', async (t) => {
  const cases: [string, string, string][] = [
    ['GET', tokenUrl, tokenPath],
    ['GET', '/metadata/identity/info?x', '/metadata/identity/info'],
    ['POST', '/metadata/identity/issuecredential', '/metadata/identity/issuecredential'],
    ['POST', tokenUrl, tokenPath],
    ['GET', events, '/metadata/scheduledevents'],
    ['POST', events, '/metadata/scheduledevents'],
  ];
  for (const [method, url, path] of cases) {
    const body = Buffer.from(method === 'POST' ? '{"a":1}' : '');
    const headers = { metadata: 'true', ...(method === 'POST' && { 'transfer-encoding': 'chunked' }) };
    const { answer, upstream, stages } = await handle(url, { method, headers, body }, { decision: pass });
    t.equal(answer.body, 'from IMDS', `${method} ${url}`);
    t.equal(upstream.length, 1);
    t.match(upstream[0], { method, path, query: url.split('?')[1] ?? '', body });
    t.same(stages.at(-1), 'passThrough');
    t.notOk(stages.includes('token'));
  }
});

t.test('reads 64 kB of an excepted pod’s body and no more', async (t) => {
  const post = (size: number): Asked => ({
    ...{
      method: 'POST',
      headers: { metadata: 'true', 'transfer-encoding': 'chunked' },
      body: Buffer.alloc(size),
    },
  });
  const most = await handle(events, post(65_536), { decision: pass });
  t.equal(most.upstream[0]?.body.length, 65_536);
  const more = await handle(events, post(65_537), { decision: pass });
  t.match(more.answer, { code: 'body-too-large', status: 413, close: true });
  t.same(more.upstream, []);
});

t.test('refuses a body, Expect and Upgrade and closes, whoever asks', async (t) => {
  const framings = [
    { 'content-length': '1' },
    { 'content-length': '00' },
    { 'transfer-encoding': 'chunked' },
    { 'transfer-encoding': '' },
    { upgrade: 'websocket' },
    { upgrade: 'h2c, websocket' },
    { upgrade: '' },
    { expect: '100-continue' },
    { expect: '' },
  ] as Record<string, string>[];
  for (const url of [tokenUrl, instance, '/metadata/identity/info']) {
    for (const framing of framings) {
      for (const decision of [allow, pass]) {
        const asked = { headers: { metadata: 'true', ...framing } };
        const { answer, stages } = await handle(url, asked, { decision });
        t.match(answer, { code: 'body-refused', status: 400, close: true }, JSON.stringify(framing));
        t.same(stages, []);
      }
    }
  }
  const length0 = { headers: { metadata: 'true', 'content-length': '0' } };
  t.equal((await handle(instance, length0)).answer.status, 200, 'content-length: 0 is no body');
  const h2c = { headers: { metadata: 'true', upgrade: 'h2c' } };
  t.equal((await handle(tokenUrl, h2c)).answer.status, 200, 'an offer of h2c may be ignored');
});

t.test('allows GET, and POST to look whether the pod is excepted', async (t) => {
  for (const method of ['HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND', 'QUERY']) {
    for (const decision of [allow, pass]) {
      const { answer, stages } = await handle(instance, { method }, { decision });
      t.match(answer, { code: 'method-refused', status: 405, headers: { allow: 'GET' } }, method);
      t.equal((await handle('/metadata/identity/info', { method }, { decision })).answer.status, 404);
      t.same(stages, []);
    }
  }
});

t.test('a refused path closes where the rest cannot be trusted', async (t) => {
  t.match((await handle('/metadata\\identity')).answer, { code: 'path-refused', status: 400, close: true });
  t.match((await handle('/latest')).answer, { status: 404, close: false });
  t.match((await handle('/latest', { headers: { 'content-length': '3' } })).answer, {
    status: 404,
    close: true,
  });
});
