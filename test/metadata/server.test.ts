import { once } from 'node:events';
import t from 'tap';
import { MetadataListener } from '../../lib/metadata/server.ts';
import { isAppError } from '../../lib/model/errors.ts';
import { FakeClock } from '../fakes/clock.ts';
import { ask, asked, jsonOf, request, talk } from '../wire/client.ts';
import { dial, ok, start } from './listening.ts';

t.test('answers what is not HTTP in JSON with a request id, and ends the connection', async (t) => {
  const at = await start(t, () => Promise.reject(new Error('must not be asked')));
  const cases: [string, string, number, string][] = [
    ['words', 'hello\r\n\r\n', 400, 'http-malformed'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400, 'http-malformed'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'http-malformed'],
    ['no version', 'GET /\r\n\r\n', 400, 'http-malformed'],
    ['HTTP/2.0 in words', 'GET / HTTP/2.0\r\nHost: x\r\n\r\n', 400, 'http-malformed'],
    ['an unknown version', 'GET / HTTP/7.3\r\nHost: x\r\n\r\n', 400, 'http-malformed'],
    ['an unknown method', request('BREW', '/'), 400, 'http-malformed'],
    ['HTTP/1.1 without Host', 'GET / HTTP/1.1\r\n\r\n', 400, 'http-malformed'],
    ['a header without a colon', request('GET', '/', 'X'), 400, 'http-malformed'],
    ['a blank before the colon', request('GET', '/', 'Metadata : true'), 400, 'http-malformed'],
    ['a folded header', request('GET', '/', 'X: a', ' b'), 400, 'http-malformed'],
    ['a NUL in a header', request('GET', '/', 'X: \0'), 400, 'http-malformed'],
    ['bare line feeds', request('GET', '/').replaceAll('\r', ''), 400, 'http-malformed'],
    ['a header of 9 kB', request('GET', '/', `X: ${'x'.repeat(9_000)}`), 431, 'http-too-large'],
    [
      '80 headers',
      request('GET', '/', ...Array.from({ length: 80 }, (_, i) => `X-${i}: x`)),
      431,
      'http-too-large',
    ],
    ['a target of 17 kB', request('GET', `/${'x'.repeat(17_000)}`), 431, 'http-too-large'],
    ['CONNECT', request('CONNECT', '169.254.169.254:80'), 405, 'method-refused'],
  ];
  for (const [name, bytes, status, code] of cases) {
    const reply = await ask(at, bytes);
    t.match(reply, { status, headers: { connection: 'close' }, closed: true }, name);
    t.match(jsonOf(reply), { error: /^[a-z_]+$/, request_id: at.served.at(-1)?.requestId }, name);
    t.match(at.served.at(-1), { code, status, trace: { route: 'refused' }, address: '127.0.0.1' }, name);
  }
  t.equal(at.served.length, cases.length, 'one record each');
});

t.test('sends a body of any characters with its length in bytes', async (t) => {
  const texts = ['plain', 'größer', '日本', '\u{1f511}'];
  const at = await start(t, async ({ url = '' }) => {
    const body = JSON.stringify({ resource: texts[Number(url.slice(1))] });
    return { code: 'token', status: 200, headers: {}, body };
  });
  for (const [number, resource] of texts.entries()) {
    const reply = await ask(at, request('GET', `/${number}`));
    t.same(jsonOf(reply), { resource });
    const bytes = Buffer.byteLength(JSON.stringify({ resource }));
    t.match(reply, { headers: { 'content-length': String(bytes) } });
  }
});

t.test('takes HTTP/1.0 without Host', async (t) => {
  const at = await start(t);
  t.match(await ask(at, 'GET / HTTP/1.0\r\n\r\n'), { status: 200, closed: true });
});

t.test('lives on when clients reset the connection, also behind CONNECT', async (t) => {
  const at = await start(t);
  for (const bytes of [request('CONNECT', 'x:80'), request('GET', '/'), 'garbage\r\n\r\n', 'GET / HT']) {
    for (let i = 0; i < 10; i++) {
      const socket = await dial(t, at);
      socket.write(bytes, () => socket.resetAndDestroy());
      await once(socket, 'close');
    }
  }
  t.equal((await ask(at, asked('/'))).status, 200);
});

t.test('refuses a head that takes too long, and leaves a connection alone that sends nothing', async (t) => {
  const at = await start(t, ok, { headMs: 50 });
  const slow = await ask(at, 'GET / HTTP/1.1\r\nHost: x\r\nMeta');
  t.match(slow, { status: 408, headers: { 'content-type': /json/ }, closed: true });
  const idle = await dial(t, at);
  const heard: Buffer[] = [];
  idle.on('data', (chunk) => heard.push(chunk));
  await once(idle, 'close');
  t.same(heard, [], 'no answer to no request');
  t.same(
    at.served.map(({ code }) => code),
    ['http-too-slow'],
    'and no record',
  );
});

t.test('an exception is a 500 that tells nothing, and is handed to the log', async (t) => {
  const failure = new Error('secret');
  const at = await start(t, async () => {
    throw failure;
  });
  const reply = await ask(at, asked('/'));
  t.match(reply, { status: 500, body: /"error":"server_error"/, closed: true });
  t.notMatch(reply.body, /secret/);
  t.equal(at.served[0]?.failure, failure);
});

t.test('an answer that cannot be sent costs the connection, not the process', async (t) => {
  const at = await start(t, async () => ({
    code: 'upstream',
    status: 200,
    headers: { 'x-bad': 'a\nb' },
    body: '',
  }));
  t.same(await talk(at, asked('/')), { replies: [], closed: true });
  t.match(at.served, [{ failure: { code: 'ERR_INVALID_CHAR' } }]);
});

t.test('tells with listen-failed that a port is taken', async (t) => {
  const { port } = await start(t);
  const other = new MetadataListener(ok, { clock: new FakeClock(), onServed: () => undefined });
  const error: unknown = await other.listen('127.0.0.1', port).catch((failure: unknown) => failure);
  t.ok(isAppError(error, 'listen-failed'));
  t.match((error as Error).message, `cannot listen on 127.0.0.1 port ${port}`);
});
