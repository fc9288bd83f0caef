import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import {
  type Answer,
  busy,
  deny,
  passOn,
  type RefusalCode,
  rawAnswer,
  refuse,
  send,
  tokenAnswer,
} from '../../lib/metadata/reply.ts';
import { ask, request } from '../wire/client.ts';

const refusals: Record<RefusalCode, [status: number, error: string]> = {
  'http-malformed': [400, 'invalid_request'],
  'http-too-large': [431, 'invalid_request'],
  'http-too-slow': [408, 'invalid_request'],
  'body-refused': [400, 'invalid_request'],
  'body-too-large': [413, 'invalid_request'],
  'path-refused': [400, 'invalid_request'],
  'path-unknown': [404, 'not_found'],
  'method-refused': [405, 'method_not_allowed'],
  'area-blocked': [403, 'forbidden'],
  'no-metadata-header': [400, 'invalid_request'],
  'forwarded-for': [400, 'invalid_request'],
  'query-malformed': [400, 'invalid_request'],
  'query-duplicate': [400, 'invalid_request'],
  'resource-missing': [400, 'invalid_request'],
  'two-identities': [400, 'invalid_request'],
  'host-headers-missing': [400, 'invalid_request'],
  'too-many-connections': [429, 'too_many_requests'],
  'too-many-in-flight': [429, 'too_many_requests'],
  'too-many-requests': [429, 'too_many_requests'],
  'caller-unknown': [404, 'not_found'],
  'pod-unknown': [404, 'not_found'],
  'caller-unsettled': [404, 'not_found'],
  'not-synced': [404, 'not_found'],
  'upstream-failed': [502, 'temporarily_unavailable'],
  'upstream-timeout': [504, 'temporarily_unavailable'],
  'upstream-busy': [429, 'too_many_requests'],
  'type-unsupported': [400, 'invalid_request'],
  'internal-error': [500, 'server_error'],
};
const codes = Object.keys(refusals) as RefusalCode[];
const json = 'application/json; charset=utf-8';

/** What is sent, as a client reads it. */
async function sent(answer: Answer): ReturnType<typeof ask> {
  const server = createServer((_req, res) => send(res, answer, 'id-1')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    return await ask({ host: '127.0.0.1', port }, request('GET', '/', 'Connection: close'));
  } finally {
    server.close();
  }
}

t.test('refuses in JSON of the shape of IMDS, with the request id, in head and body', async (t) => {
  for (const code of codes) {
    const [status, error] = refusals[code];
    const reply = await sent(refuse(code));
    t.equal(reply.status, status, code);
    const body = JSON.parse(reply.body) as Record<string, string>;
    t.same(Object.keys(body), ['error', 'error_description', 'request_id'], code);
    t.match(body, { error, error_description: /^[A-Z].{10,}/, request_id: 'id-1' }, code);
    t.match(reply.headers, { 'content-type': json, 'x-ms-request-id': 'id-1' }, code);
    t.equal(reply.headers.allow, status === 405 ? 'GET' : undefined, code);
    t.equal(reply.headers['retry-after'], status === 429 ? '1' : undefined, code);
  }
});

t.test('a raw answer to what is no request is whole HTTP too', (t) => {
  for (const code of codes) {
    const [head = '', body = ''] = rawAnswer(refuse(code), 'id-1', 'Refused').split('\r\n\r\n');
    const [line, ...lines] = head.split('\r\n');
    t.equal(line, `HTTP/1.1 ${refusals[code][0]} Refused`);
    for (const wanted of [
      `content-type: ${json}`,
      `content-length: ${body.length}`,
      'x-ms-request-id: id-1',
      'connection: close',
    ]) {
      t.ok(lines.includes(wanted), `${code}: ${wanted}`);
    }
    t.equal((JSON.parse(body) as { request_id: string }).request_id, 'id-1');
  }
  t.end();
});

t.test('says what SDKs look for, and in no 403 "unreachable"', (t) => {
  t.match(refuse('no-metadata-header').body, { error_description: 'Required metadata header not specified' });
  t.match(deny('no-label', 'Why.'), {
    status: 400,
    code: 'no-label',
    body: { error: 'invalid_request', error_description: 'Identity not found. Why.' },
  });
  const forbidden = codes.map((code) => refuse(code)).filter(({ status }) => status === 403);
  t.ok(forbidden.length > 0);
  for (const { body } of forbidden) t.notMatch(JSON.stringify(body), /unreachable/i);
  // Azure.Identity for .NET ends its chain at a probe's 400 with these words.
  for (const code of codes) t.notMatch(JSON.stringify(refuse(code).body), /Identity not found/);
  t.end();
});

t.test('writes the token body byte for byte as SDKs read it', async (t) => {
  const token = {
    accessToken: 'a.b.c',
    expiresOn: 1_800_086_400,
    notBefore: 1_799_999_700,
    tokenType: 'Bearer',
  };
  const asked = { resource: 'https://vault.azure.net/', clientId: 'client-1', nowMs: 1_800_000_000_999 };
  const reply = await sent(tokenAnswer(token, asked));
  t.equal(reply.status, 200);
  t.equal(
    reply.body,
    '{"access_token":"a.b.c","refresh_token":"","client_id":"client-1","expires_in":"86400","expires_on":"1800086400",' +
      '"ext_expires_in":"86400","not_before":"1799999700","resource":"https://vault.azure.net/","token_type":"Bearer"}',
  );
  t.match(reply.headers, {
    'content-type': json,
    'content-length': String(reply.body.length),
    'cache-control': 'no-store',
    pragma: 'no-cache',
  });
  t.notOk('transfer-encoding' in reply.headers);
});

t.test(
  "answers with the original's array where there are auxiliary tenants, the identity's own first",
  async (t) => {
    const one = (accessToken: string) => ({
      accessToken,
      expiresOn: 2_000,
      notBefore: 0,
      tokenType: 'Bearer',
    });
    const token = { ...one('home'), auxiliary: [one('second'), one('third')] };
    const { body } = tokenAnswer(token, { resource: 'r', clientId: 'c', nowMs: 0 });
    t.match(JSON.parse(String(body)), [
      { access_token: 'home' },
      { access_token: 'second' },
      { access_token: 'third' },
    ]);
  },
);

t.test('computes expires_in when it is served, never below 0, and echoes odd resources safely', (t) => {
  const token = { accessToken: 'a', expiresOn: 2_000, notBefore: 0, tokenType: 'Bearer' };
  const at = (nowMs: number, resource = 'r'): Record<string, string> =>
    JSON.parse(tokenAnswer(token, { resource, clientId: 'c', nowMs }).body as string) as Record<
      string,
      string
    >;
  for (const [nowMs, left] of [
    [0, '2000'],
    [1_000_000, '1000'],
    [1_000_999, '1000'],
    [1_001_000, '999'],
    [2_000_000, '0'],
    [9e9, '0'],
  ] as const) {
    t.match(at(nowMs), { expires_in: left, ext_expires_in: left, expires_on: '2000' }, String(nowMs));
  }
  for (const resource of ['a"},"b":{"', 'é\u2028', '\n']) t.equal(at(0, resource).resource, resource);
  t.end();
});

t.test("passes IMDS's refusal on as it came", async (t) => {
  const body = '{"error":"invalid_request","error_description":"Identity not found"}';
  const reply = await sent(passOn({ status: 429, body, retryAfter: '7' }));
  t.match(reply, {
    status: 429,
    body,
    headers: { 'retry-after': '7', 'content-type': json, 'x-ms-request-id': 'id-1' },
  });
  t.notOk('retry-after' in (await sent(passOn({ status: 404, body }))).headers);
});

t.test('tells when a turn towards IMDS may come', async (t) => {
  t.match(await sent(busy('7')), { status: 429, headers: { 'retry-after': '7', 'content-type': json } });
  t.equal((await sent(busy())).headers['retry-after'], '1');
});

t.test('counts bytes, not characters, and sends a body of bytes as it is', async (t) => {
  const headers = { 'content-type': 'text/plain', server: 'IMDS/1' };
  const reply = await sent({ code: 'upstream', status: 200, headers, body: Buffer.from('é€') });
  t.match(reply, {
    headers: { 'content-length': '5', server: 'IMDS/1' },
    body: Buffer.from('é€').toString('latin1'),
  });
  t.equal((await sent({ code: 'upstream', status: 200, headers, body: 'é' })).headers['content-length'], '2');
});

t.test('closes the connection when the answer says so', async (t) => {
  t.equal((await sent(refuse('body-refused', true))).headers.connection, 'close');
});
