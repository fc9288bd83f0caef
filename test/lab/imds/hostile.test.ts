import { once } from 'node:events';
import t, { type Test } from 'tap';
import { type Imds, startImds } from './imds.ts';
import { asked, exchange, get, open, statusOf, tokenTarget } from './raw.ts';

const query = tokenTarget.split('?')[1];

async function start(test: Test): Promise<Imds> {
  const imds = await startImds();
  test.teardown(() => imds.close());
  return imds;
}

t.test('hands a token to every disguise of the token path', async (t) => {
  const imds = await start(t);
  const disguises = [
    '/METADATA/identity/oauth2/token',
    '/metadata/identity/oauth2/token/',
    '/metadata\\identity\\oauth2\\token',
    '/metadata%5cidentity%5Coauth2/token',
    '/metadata%255cidentity/oauth2/token',
    '//metadata//identity/oauth2/token',
    '/metadata/instance/../identity/./oauth2/token',
    '/metadata/instance/%2e%2e/identity/oauth2/token',
    '/metadata/identity/oauth2/toke%6e',
    '/metadata/identity/oauth2;a=b/token;c',
    '/metadata/identity/oauth2/token%00.css',
    'http://evil.example/metadata/identity/oauth2/token',
  ];
  for (const path of disguises) {
    t.equal(statusOf(await exchange(imds, asked(`${path}?${query}`))), 200, path);
  }
  t.equal(imds.tokensIssued().length, disguises.length);
  t.ok(imds.log().every(({ path }) => path === '/metadata/identity/oauth2/token'));
});

t.test('serves and counts what is smuggled behind another request', async (t) => {
  const hidden = asked(tokenTarget);
  const chunk = `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`;
  const head = 'DELETE /metadata/instance?api-version=2021-02-01 HTTP/1.1\r\nMetadata: true\r\n';
  const attacks: [string, string][] = [
    ['content-length 0 before a chunked body', `${head}content-length: 0\r\n\r\n${chunk}`],
    ['both lengths', `${head}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`],
    ['two content-lengths', `${head}Content-Length: ${hidden.length}\r\nContent-Length: 0\r\n\r\n${hidden}`],
    ['a chunk size that is no number', `${head}Transfer-Encoding: xchunked\r\n\r\nzz\r\n\r\n${hidden}`],
    ['a pipelined request', asked('/metadata/versions') + hidden],
    ['bare line feeds', (asked('/metadata/versions') + hidden).replaceAll('\r', '')],
  ];
  const imds = await start(t);
  for (const [name, bytes] of attacks) {
    imds.clear();
    await exchange(imds, bytes);
    t.equal(imds.tokensIssued().length, 1, name);
  }
});

t.test('reads an honest body to its end, by length and in chunks', async (t) => {
  const imds = await start(t);
  const head = 'POST /metadata/scheduledevents?api-version=2020-07-01 HTTP/1.1\r\nMetadata: true\r\n';
  const hidden = asked(tokenTarget);
  await exchange(imds, `${head}Content-Length: ${hidden.length}\r\n\r\n${hidden}`);
  const chunk = `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\nTrailer: x\r\n\r\n`;
  await exchange(imds, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}`);
  t.match(imds.log(), [
    { seq: 1, answered: 200, bodyBytes: hidden.length },
    { seq: 2, answered: 200, bodyBytes: hidden.length },
  ]);
  t.equal(imds.log().length, 2);
});

t.test('keeps an exact log of connections and requests', async (t) => {
  const imds = await start(t);
  const silent = await open(imds);
  silent.end();
  await once(silent, 'close');
  const first = get(tokenTarget, 'metadata: true', 'User-Agent: curl/8');
  await exchange(imds, first + asked('/nowhere'));
  t.match(imds.connections(), [{ connection: 1, remoteAddress: '127.0.0.1' }, { connection: 2 }]);
  const [one, two] = imds.log();
  t.match(one, {
    seq: 1,
    connection: 2,
    raw: first,
    method: 'GET',
    target: tokenTarget,
    userAgent: 'curl/8',
    answered: 200,
    inFlight: 1,
  });
  t.same(one?.headerNames, ['Host', 'metadata', 'User-Agent']);
  t.match(two, { seq: 2, connection: 2, path: '/nowhere', answered: 404, issued: undefined });
  imds.clear();
  t.equal(imds.log().length + imds.connections().length, 0);
});
