import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { createHttpClient, type HttpClient } from '../../lib/platform/http.ts';
import { FakeClock } from '../fakes/clock.ts';
import { failureOf } from '../fakes/failure.ts';
import { selfSigned } from '../lab/kube/tls.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function start(test: Test, answer: Answer, tls?: { key: string; cert: string }): Promise<HttpClient> {
  const server = tls ? createHttps(tls, answer) : createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createHttpClient({ origin, connections: 1, maxBytes: 1000, clock: new FakeClock() });
  test.teardown(async () => {
    await client.close();
    server.close();
    server.closeAllConnections();
  });
  return client;
}

const patch = {
  method: 'PATCH',
  path: '/vm',
  headers: { 'x-a': 'b' },
  body: '{"ä":1}',
  deadlineMs: 10_000,
} as const;

t.test('sends a body with its length, and gives all headers of the answer', async (t) => {
  const client = await start(t, (request, response) => {
    const { method, url, headers } = request;
    response.setHeader('X-Limit', ['a;1', 'b;2']);
    response.setHeader('Retry-After', '5');
    response.statusCode = 202;
    request.once('data', (chunk: Buffer) => {
      const asked = [method, url, headers['x-a'], headers['content-length'], chunk.toString()];
      response.end(JSON.stringify(asked));
    });
  });
  const { status, headers, retryAfter, body } = await client.send(patch);
  t.same([status, headers['x-limit'], retryAfter], [202, 'a;1,b;2', '5']);
  t.same(JSON.parse(body), ['PATCH', '/vm', 'b', '8', '{"ä":1}']);
});

t.test('a PATCH on a kept connection that the other side closed is made once more', async (t) => {
  let requests = 0;
  const client = await start(t, (request, response) => {
    requests += 1;
    if (requests === 2) request.socket.destroy();
    else response.end('{}');
  });
  await client.send(patch);
  t.equal((await client.send(patch)).status, 200);
  t.equal(requests, 3);
});

t.test('trusts no certificate that it cannot verify, whatever the environment says', async (t) => {
  const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  t.teardown(() => {
    if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
  });
  let requests = 0;
  const count: Answer = (_, response) => {
    requests += 1;
    response.end();
  };
  const client = await start(t, count, selfSigned('127.0.0.1'));
  t.match(await failureOf(() => client.send(patch)), { problem: 'unreachable' });
  t.equal(requests, 0);
});
