import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import t, { type Test } from 'tap';
import type { AppError } from '../../lib/model/errors.ts';
import { createHttpClient } from '../../lib/platform/http.ts';
import { createImdsSource } from '../../lib/tokens/imds.ts';
import type { TokenSource } from '../../lib/tokens/source.ts';
import { FakeClock } from '../fakes/clock.ts';
import { failureOf, refusalOf } from '../fakes/failure.ts';
import { anIdentity } from '../fakes/model.ts';
import { eventually } from '../lab/eventually.ts';
import { type Imds, startImds } from '../lab/imds/imds.ts';
import { claimsOf, sampleIdentity } from '../lab/imds/token.ts';

const userAgent = 'pod-identity/NMI/0.1.0';
const vault = 'https://vault.azure.net';
const demo = sampleIdentity('demo');
const identity = anIdentity({ clientId: demo.clientId });

interface Bench {
  readonly clock: FakeClock;
  readonly imds: Imds;
  readonly source: TokenSource;
}

function sourceAt(test: Test, origin: string, clock = new FakeClock()): TokenSource {
  const http = createHttpClient({ origin, connections: 5, maxBytes: 64 * 1024, clock });
  test.teardown(() => http.close());
  return createImdsSource(http, userAgent);
}

async function start(test: Test): Promise<Bench> {
  const imds = await startImds({ identities: [demo] });
  test.teardown(() => imds.close());
  const clock = new FakeClock();
  return { clock, imds, source: sourceAt(test, imds.url, clock) };
}

/** A source whose IMDS answers everything with `status`, `body` and `headers`. */
async function answering(
  test: Test,
  status: number,
  body: string,
  headers: Record<string, string> = {},
): Promise<TokenSource> {
  const server = createServer((_, res) => res.writeHead(status, headers).end(body));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  test.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return sourceAt(test, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

const refused = async (source: TokenSource, resource = vault): Promise<AppError> =>
  (await failureOf(() => source.fetch(identity, resource))) as AppError;

t.test('asks as the SDKs do, byte by byte', async (t) => {
  const { imds, source } = await start(t);
  await source.fetch(identity, vault);
  t.equal(
    imds.log()[0]?.raw,
    [
      `GET /metadata/identity/oauth2/token?api-version=2018-02-01&client_id=${demo.clientId}&resource=https%3A%2F%2Fvault.azure.net HTTP/1.1`,
      `host: 127.0.0.1:${imds.port}`,
      'connection: keep-alive',
      'metadata: true',
      `user-agent: ${userAgent}`,
      '',
      '',
    ].join('\r\n'),
  );
});

t.test('gives the token as IMDS gave it, with numbers for times', async (t) => {
  const { imds, source } = await start(t);
  const token = await source.fetch(identity, vault);
  t.match(claimsOf(token.accessToken), { appid: demo.clientId, aud: vault });
  t.equal(token.expiresOn, imds.tokensIssued()[0]?.expiresOn);
  t.equal(token.notBefore, token.expiresOn - 86_400 - 300);
  t.equal(token.tokenType, 'Bearer');
});

t.test('no resource can add to the query or break out of it', async (t) => {
  const { imds, source } = await start(t);
  const resource = 'api://x&client_id=other\r\nX: y#z%26 ü';
  await source.fetch(identity, resource).catch(() => undefined);
  t.same(imds.log()[0]?.query, [
    ['api-version', '2018-02-01'],
    ['client_id', demo.clientId],
    ['resource', resource],
  ]);
});

t.test('never asks without a client id, since IMDS would answer with the identity of the node', async (t) => {
  const { imds, source } = await start(t);
  t.strictSame(await refusalOf(() => source.fetch(anIdentity({ clientId: '' }), vault)), {
    code: undefined,
    message: 'AzureIdentity demo has no client id',
  });
  t.equal(imds.connections().length, 0);
});

t.test('names no credential, since the machine itself vouches for it', async (t) => {
  const { source } = await start(t);
  t.same([source.authority(identity), source.credential(identity)], ['imds', '']);
});

t.test("passes on IMDS's refusal as it came", async (t) => {
  const { imds, source } = await start(t);
  imds.unassign(demo.clientId);
  const error = await refused(source);
  t.match(error, { code: 'imds-refused', message: 'IMDS answered 400', status: 400 });
  t.match(JSON.parse(error.answer?.body ?? ''), { error: 'invalid_request' });
  t.notOk('retryAfter' in (error.answer ?? {}));
  imds.fault({ kind: 'status', status: 429, retryAfter: '7', body: '{"error":"busy"}' });
  t.strictSame((await refused(source)).answer, { status: 429, retryAfter: '7', body: '{"error":"busy"}' });
});

t.test("keeps to itself a refusal that is not in IMDS's words", async (t) => {
  for (const body of ['<html>proxy</html>', '', '"text"', '[]', 'null', '{"error":']) {
    const error = await refused(await answering(t, 502, body));
    t.match(error, { code: 'imds-refused', message: 'IMDS answered 502', status: 502 });
    t.equal(error.answer, undefined, body);
  }
  const throttled = await refused(await answering(t, 429, '<html>slow</html>', { 'retry-after': '7' }));
  t.match(throttled, { status: 429, retryAfter: '7' }, 'but not how long to stay away');
});

t.test('follows no redirect and takes no other success for a token', async (t) => {
  const body = JSON.stringify({ access_token: 'secret', expires_on: '4102444800' });
  for (const status of [201, 204, 302, 307]) {
    const error = await refused(
      await answering(t, status, status === 204 ? '' : body, { location: '/other' }),
    );
    t.match(error, { code: 'imds-refused', message: `IMDS answered ${status}` });
    t.equal(error.answer, undefined);
  }
});

const good = {
  access_token: 'secret',
  expires_on: '4102444800',
  not_before: '4102440000',
  token_type: 'Bearer',
};

t.test('reads times as numbers or as strings, and does without what is not needed', async (t) => {
  const read = async (body: unknown) =>
    (await answering(t, 200, JSON.stringify(body))).fetch(identity, vault);
  const token = { accessToken: 'secret', expiresOn: 4102444800, notBefore: 4102440000, tokenType: 'Bearer' };
  t.strictSame(await read(good), token);
  t.strictSame(await read({ ...good, expires_on: 4102444800, not_before: 4102440000 }), token);
  t.strictSame(await read({ access_token: 'secret', expires_on: '4102444800' }), { ...token, notBefore: 0 });
  t.strictSame(await read({ ...good, not_before: 'soon', token_type: 7 }), { ...token, notBefore: 0 });
});

t.test('takes nothing for a token that is none, and tells nobody what it was', async (t) => {
  const bodies = [
    'secret',
    '',
    '[{"access_token":"secret"}]',
    '{"access_token":"secret","expires_on":1e999}',
    ...[
      { ...good, access_token: '', client_secret: 'secret' },
      { ...good, access_token: { value: 'secret' } },
      { ...good, expires_on: undefined },
      { ...good, expires_on: '' },
      { ...good, expires_on: 'secret' },
      { ...good, expires_on: '0' },
      { ...good, expires_on: '-1' },
      { ...good, expires_on: 'Infinity' },
    ].map((body) => JSON.stringify(body)),
  ];
  for (const body of bodies) {
    const error = await refused(await answering(t, 200, body));
    t.match(error, {
      code: 'imds-garbled',
      message: 'IMDS answered 200 without a usable access_token and expires_on',
    });
    t.notMatch(inspect(error, { depth: 9 }), 'secret', body);
  }
});

t.test('gives up after 10 s', async (t) => {
  const { imds, source, clock } = await start(t);
  imds.fault({ kind: 'hang' });
  const refusal = refused(source);
  await eventually('IMDS is asked', () => imds.log().length === 1);
  await clock.advance(10_000);
  t.match(await refusal, { code: 'imds-timeout', message: 'IMDS did not answer within 10000 ms' });
});

t.test('says that IMDS is away, broke off, or said too much', async (t) => {
  const { imds, source } = await start(t);
  imds.fault({ kind: 'reset' }, { kind: 'truncate' });
  for (const _ of ['reset', 'cut short'])
    t.match(await refused(source), { code: 'imds-unreachable', message: 'IMDS cannot be reached' });
  await imds.close();
  const away = await refused(source);
  t.match(away, { code: 'imds-unreachable', cause: { cause: { code: 'ECONNREFUSED' } } });
  const long = await answering(t, 200, JSON.stringify({ ...good, padding: 'x'.repeat(64 * 1024) }));
  t.match(await refused(long), {
    code: 'imds-unreachable',
    message: 'IMDS sent an answer that is too large',
  });
});
