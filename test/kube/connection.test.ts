import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect as connectTo } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { Connection } from '../../lib/kube/connection.ts';
import { eventually } from '../lab/eventually.ts';
import { selfSigned } from './certificate.ts';
import { dropAtOnce, HostileApi, json, listOf, refuse, stall } from './hostile-api.ts';
import { connect, SleepClock } from './rig.ts';

const maxBytes = 1_000;

t.test('says who asks, with the token of the kubeconfig', async (t) => {
  const { api, connection } = await connect(t);
  await connection.json('/api/v1/pods', { maxBytes, query: { fieldSelector: 'spec.nodeName=a&b' } });
  const [call] = api.calls;
  t.match(call?.headers, { authorization: 'Bearer first-token', 'user-agent': 'pod-identity/test' });
  t.same(call?.query, { fieldSelector: 'spec.nodeName=a&b' });
});

t.test('makes 100 requests over two connections at most', async (t) => {
  const { api, connection } = await connect(t);
  for (let i = 0; i < 100; i++) await connection.json('/api', { maxBytes });
  t.equal(api.calls.length, 100);
  t.ok(api.accepted <= 2, `${api.accepted} connections`);
});

t.test('never opens more than 16 connections', async (t) => {
  const { api, connection } = await connect(t);
  const answers = Array.from({ length: 60 }, () => connection.json('/api', { maxBytes }));
  await Promise.all(answers);
  t.ok(api.accepted <= 16, `${api.accepted} connections`);
});

t.test('reads a rotated token again at a 401, and repeats the request once', async (t) => {
  const { api, connection } = await connect(t, (api) => inCluster(api, 'old'));
  await connection.json('/api', { maxBytes });
  api.serviceAccount('new\n');
  api.lists.push(refuse(401));
  await connection.json('/api', { maxBytes });
  t.same(
    api.calls.map((call) => call.headers.authorization),
    ['Bearer old', 'Bearer old', 'Bearer new'],
  );
});

t.test('does not repeat a request at a 401 with the same token', async (t) => {
  const { api, connection } = await connect(t, (api) => inCluster(api, 'old'));
  api.lists.push(refuse(401));
  await t.rejects(connection.json('/api', { maxBytes }), { code: 'kube-refused', status: 401 });
  t.equal(api.calls.length, 1);
});

t.test('recovers when a token file that was missing is there', async (t) => {
  const { api, connection } = await connect(t, (api) => ({
    kind: 'kubeconfig',
    path: api.kubeconfig({ tokenFile: 'late' }),
  }));
  await t.rejects(connection.json('/api', { maxBytes }), { code: 'kubeconfig-unusable', message: /ENOENT/ });
  writeFileSync(join(api.dir, 'late'), 'late-token');
  await connection.json('/api', { maxBytes });
  t.equal(api.calls[0]?.headers.authorization, 'Bearer late-token');
});

t.test('trusts a new CA file without a restart, over new connections', async (t) => {
  const { api, connection } = await connect(t, (api) => inCluster(api, 'token'));
  writeFileSync(join(api.dir, 'ca.crt'), selfSigned('somebody-else').cert);
  await t.rejects(connection.json('/api', { maxBytes }), { code: 'kube-unreachable' });
  api.serviceAccount('token');
  await connection.json('/api', { maxBytes });
  await connection.json('/api', { maxBytes });
  t.equal(api.calls.length, 2);
});

t.test('shows its client certificate', async (t) => {
  const client = selfSigned('client');
  const { api, connection } = await connect(t, (api) => ({
    kind: 'kubeconfig',
    path: api.kubeconfig({
      'client-certificate-data': base64(client.cert),
      'client-key-data': base64(client.key),
    }),
  }));
  await connection.json('/api', { maxBytes });
  t.same(api.clientNames, ['client']);
});

t.test('goes through the proxy of the kubeconfig', async (t) => {
  const tunnels: string[] = [];
  const proxy = createServer().on('connect', (request, client) => {
    tunnels.push(request.url ?? '');
    const upstream = connectTo(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    for (const socket of [client, upstream]) socket.on('error', () => upstream.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.teardown(() => void proxy.close());
  const { port } = proxy.address() as AddressInfo;
  const { api, connection } = await connect(t, (api) => ({
    kind: 'kubeconfig',
    path: api.kubeconfig({ token: 'a' }, { 'proxy-url': `http://127.0.0.1:${port}` }),
  }));
  await connection.json('/api', { maxBytes });
  await connection.json('/api', { maxBytes });
  t.equal(api.calls.length, 2);
  t.same([...new Set(tunnels)], [new URL(api.url).host]);
});

t.test('refuses a SOCKS proxy and a broken client key in one sentence', async (t) => {
  const socks = await connect(t, (api) => ({
    kind: 'kubeconfig',
    path: api.kubeconfig({ token: 'a' }, { 'proxy-url': 'socks5://127.0.0.1:1' }),
  }));
  await t.rejects(socks.connection.json('/api', { maxBytes }), {
    code: 'kubeconfig-unusable',
    message: /SOCKS/,
  });
  const broken = await connect(t, (api) => ({
    kind: 'kubeconfig',
    path: api.kubeconfig({ 'client-key-data': base64('hunter2') }),
  }));
  const error = await broken.connection.json('/api', { maxBytes }).catch((reason: Error) => reason);
  t.match(error, { code: 'kube-unreachable' });
  t.notMatch(String(error), /hunter2/);
});

t.test('refuses a server that the CA does not know', async (t) => {
  const { api, connection } = await connect(t);
  const impostor = await HostileApi.start(selfSigned('hostile-api'));
  t.teardown(() => impostor.close());
  await connection.json('/api', { maxBytes });
  const path = join(impostor.dir, 'kubeconfig');
  writeFileSync(path, readFileSync(api.kubeconfig(), 'utf8').replaceAll(api.url, impostor.url));
  const fooled = new Connection({
    source: { kind: 'kubeconfig', path },
    userAgent: 'x',
    clock: new SleepClock(),
  });
  t.teardown(() => fooled.close());
  await t.rejects(fooled.json('/api', { maxBytes }), {
    code: 'kube-unreachable',
    message: /DEPTH_ZERO|SIGNATURE|VERIFY/,
  });
  t.equal(impostor.calls.length, 0);
});

t.test('tells a refusal from silence from nonsense', async (t) => {
  const { api, clock, connection } = await connect(t);
  const ask = () => connection.json('/api', { maxBytes });
  api.lists.push(refuse(403, 'no\nright\u001b[2J', { 'retry-after': '3' }));
  await t.rejects(ask(), {
    code: 'kube-refused',
    status: 403,
    answer: { status: 403, body: 'no?right?[2J', retryAfter: '3' },
  });
  api.lists.push((response) => void response.writeHead(302, { location: `${api.url}/elsewhere` }).end());
  await t.rejects(ask(), { code: 'kube-refused', status: 302, answer: { body: '' } });
  api.lists.push(dropAtOnce);
  await t.rejects(ask(), { code: 'kube-unreachable', message: /UND_ERR_SOCKET|ECONNRESET/ });
  api.lists.push((response) => void response.writeHead(200).write('{"half":'));
  const half = t.rejects(ask(), { code: 'kube-timeout', message: /was silent for 30 s/ });
  await eventually('the request', () => api.calls.length === 4);
  await clock.advance(30_000);
  await clock.advance(30_000);
  await half;
  api.lists.push(json(200, { long: 'x'.repeat(maxBytes) }));
  await t.rejects(ask(), { code: 'kube-too-large' });
  t.equal(clock.waiting, 0);
});

t.test('never repeats what was sent in an error', async (t) => {
  const { api, connection } = await connect(t);
  api.lists.push((response) => void response.writeHead(200).end('hunter2 is the secret'));
  const error = await connection.json('/api', { maxBytes }).catch((reason: Error) => reason);
  t.match(error, { code: 'kube-garbled' });
  t.notMatch(`${String(error)} ${JSON.stringify(error)} ${String((error as Error).cause)}`, /hunter2/);
});

t.test('closes the connection under a body that is left early', async (t) => {
  const { api, clock, connection } = await connect(t);
  api.lists.push(api.holdOpen);
  const { body } = await connection.request('/api');
  api.streams[0]?.write('chunk');
  for await (const _chunk of body) break;
  await eventually('it is closed', () => api.openSockets === 0);
  t.equal(clock.waiting, 0);
});

t.test('rejects with the reason of the caller who stops', async (t) => {
  const { api, connection } = await connect(t);
  api.lists.push(stall);
  const caller = new AbortController();
  const answer = t.rejects(connection.request('/api', { signal: caller.signal }), /enough/);
  await eventually('the request', () => api.calls.length === 1);
  caller.abort(new Error('enough'));
  await answer;
  await t.rejects(connection.request('/api', { signal: caller.signal }), /enough/);
  api.lists.push(listOf([]));
  await connection.json('/api', { maxBytes });
});

function inCluster(api: HostileApi, token: string) {
  const { hostname, port } = new URL(api.url);
  return { kind: 'in-cluster', host: hostname, port, dir: api.serviceAccount(token) } as const;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
