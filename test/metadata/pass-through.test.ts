import t from 'tap';
import { settle } from '../fakes/clock.ts';
import { get, never, start, textOf } from './passing.ts';
import { reply } from './upstream.ts';

t.test('sends the path, the query and the allowed headers, and nothing else of the client', async (t) => {
  const { upstream, pass } = await start(t, () => reply('{}'));
  const headers = {
    host: 'evil.example',
    metadata: 'true',
    accept: 'application/json',
    'user-agent': 'curl/8',
    'x-ms-client-request-id': 'id-1',
    'content-type': 'application/x-www-form-urlencoded',
    'x-forwarded-for': '1.2.3.4',
    forwarded: 'for=1.2.3.4',
    connection: 'x-hop',
    'x-hop': '1',
    te: 'trailers',
    upgrade: 'h2c',
    expect: '100-continue',
    'content-length': '5',
    'transfer-encoding': 'chunked',
    'accept-encoding': 'gzip',
    authorization: 'Bearer x',
    cookie: 'a=b',
    'proxy-authorization': 'x',
  };
  await pass(get(headers, '/metadata/instance/compute', 'api-version=2021-02-01&x=%2f?y'), never);
  const [line, ...lines] = (upstream.heard[0]?.[0] ?? '').split('\r\n');
  t.equal(line, 'GET /metadata/instance/compute?api-version=2021-02-01&x=%2f?y HTTP/1.1');
  t.same(lines.sort(), [
    '',
    '',
    'Connection: keep-alive',
    'accept: application/json',
    'content-type: application/x-www-form-urlencoded',
    `host: 127.0.0.1:${upstream.port}`,
    'metadata: true',
    'user-agent: curl/8',
    'x-ms-client-request-id: id-1',
  ]);
});

t.test('sends a POST with its body and our own length', async (t) => {
  const { upstream, pass } = await start(t, () => reply('{}'));
  const post = {
    ...get({ 'content-length': '999', 'transfer-encoding': 'chunked' }),
    method: 'POST',
  } as const;
  await pass({ ...post, body: Buffer.from('{"a":1}') }, never);
  await pass({ ...post, body: Buffer.alloc(0) }, never);
  const [first = '', second = ''] = upstream.heard.flat();
  t.match(first, /\r\ncontent-length: 7\r\n[\s\S]*\r\n\r\n\{"a":1\}$/);
  t.match(second, /\r\ncontent-length: 0\r\n[\s\S]*\r\n\r\n$/);
  t.notMatch(first + second, /transfer-encoding|999/i);
});

t.test('hands back status, body and headers, without those of the connection', async (t) => {
  const lines = [
    'Connection: X',
    'Keep-Alive: timeout=9',
    'Trailer: X',
    'Upgrade: h2c',
    'Proxy-Connection: x',
    'TE: x',
  ];
  const body = '{"é":1}';
  const { pass } = await start(t, () =>
    reply(Buffer.from(body).toString('latin1'), ...lines, 'Server: IMDS/1', 'Retry-After: 7').replace(
      '200 OK',
      '429 Slow',
    ),
  );
  const answer = await pass(get(), never);
  t.match(answer, { code: 'upstream', status: 429 });
  t.same(answer.headers, { server: 'IMDS/1', 'retry-after': '7' });
  t.equal(textOf(answer), body);
});

t.test('reads a chunked answer whole', async (t) => {
  const { pass } = await start(
    t,
    () => 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
  );
  const answer = await pass(get(), never);
  t.equal(textOf(answer), 'abcde');
  t.same(answer.headers, {});
});

t.test('uses a connection again after an answer read whole, and only then', async (t) => {
  const { upstream, pass } = await start(t, (_socket, nth) =>
    nth < 2 ? reply('{}') : reply('{}') + reply('poison'),
  );
  for (const _ of [1, 2, 3]) {
    await pass(get(), never);
    await settle(); // the connection is free a moment after its answer
  }
  t.equal(upstream.heard.length, 1, 'one connection for three answers');
  t.equal(textOf(await pass(get(), never)), '{}', 'an answer that nobody asked for is nobody’s');
  t.equal(upstream.heard.length, 2);
});
