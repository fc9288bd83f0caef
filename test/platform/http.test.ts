import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { createHttpClient, type HttpClient, HttpFailure } from '../../lib/platform/http.ts';
import { FakeClock, settle } from '../fakes/clock.ts';
import { failureOf } from '../fakes/failure.ts';

type Answer = (req: IncomingMessage, res: ServerResponse) => void;

interface Bench {
  readonly clock: FakeClock;
  readonly client: HttpClient;
  readonly asked: string[];
  readonly sockets: Set<unknown>;
  /** How often a request was made a second time. */
  again(): number;
  /** Resolves with the next request's path. */
  next(): Promise<unknown>;
}

async function start(test: Test, answer: Answer, maxBytes = 1000): Promise<Bench> {
  const asked: string[] = [];
  const sockets = new Set<unknown>();
  const server = createServer((req, res) => {
    asked.push(`${req.method} ${req.url}`);
    sockets.add(req.socket);
    answer(req, res);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const clock = new FakeClock();
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let again = 0;
  const onAgain = (): void => {
    again += 1;
  };
  const client = createHttpClient({ origin, connections: 2, maxBytes, clock, onAgain });
  test.teardown(async () => {
    await client.close();
    server.close();
    server.closeAllConnections();
  });
  return { clock, client, asked, sockets, again: () => again, next: () => once(server, 'request') };
}

const patient = { headers: {}, deadlineMs: 10_000 };

async function problemOf(work: Promise<unknown>): Promise<unknown> {
  const error = await failureOf(() => work);
  return error instanceof HttpFailure ? error.problem : error;
}

t.test('gives status, Retry-After and body, also of an error', async (t) => {
  const { client, clock } = await start(t, (req, res) => {
    if (req.url === '/busy') res.writeHead(429, { 'retry-after': '7' }).end('{"error":"busy"}');
    else res.end(`${req.headers.metadata}`);
  });
  t.same(await client.get('/busy', patient), { status: 429, retryAfter: '7', body: '{"error":"busy"}' });
  t.same(await client.get('/', { ...patient, headers: { metadata: 'true' } }), {
    status: 200,
    retryAfter: undefined,
    body: 'true',
  });
  t.equal(clock.waiting, 0, 'no deadline is left behind');
});

t.test('keeps its connections for the next requests', async (t) => {
  const { client, sockets } = await start(t, (_, res) => res.end('x'));
  for (let i = 0; i < 20; i++) await client.get(`/${i}`, patient);
  t.ok(sockets.size <= 2, `${sockets.size} connections`);
});

t.test('opens no more connections than it may', async (t) => {
  const held: ServerResponse[] = [];
  const { client, sockets, next } = await start(t, (_, res) => void held.push(res));
  const answers = Array.from({ length: 6 }, (_, i) => client.get(`/${i}`, patient));
  for (let done = 0; done < 6; done++) {
    while (held.length === 0) await next();
    held.shift()?.end('x');
  }
  await Promise.all(answers);
  t.equal(sockets.size, 2);
});

t.test('follows no redirect', async (t) => {
  const { client, asked } = await start(t, (_, res) => void res.writeHead(302, { location: '/other' }).end());
  t.match(await client.get('/', patient), { status: 302 });
  t.same(asked, ['GET /']);
});

t.test('gives up when the deadline passes before an answer', async (t) => {
  const { client, clock, next } = await start(t, () => undefined);
  const heard = next();
  const problem = problemOf(client.get('/', patient));
  await heard;
  await clock.advance(9_999);
  t.equal(clock.waiting, 1, 'not a moment before');
  await clock.advance(1);
  t.equal(await problem, 'timeout');
});

t.test('gives up when the deadline passes in the middle of an answer', async (t) => {
  const { client, clock, next } = await start(t, (_, res) => void res.writeHead(200).write('half'));
  const heard = next();
  const problem = problemOf(client.get('/', patient));
  await heard;
  await clock.advance(10_000);
  t.equal(await problem, 'timeout');
});

t.test(
  'takes what is just large enough, and drops what is larger, whether it is announced or not',
  async (t) => {
    const { client } = await start(t, (req, res) => {
      const body = 'x'.repeat(Number(req.url?.slice(2)));
      if (req.url?.startsWith('/c')) res.write(body.slice(0, 1));
      res.end(req.url?.startsWith('/c') ? body.slice(1) : body);
    });
    t.equal((await client.get('/l1000', patient)).body.length, 1000);
    t.equal((await client.get('/c1000', patient)).body.length, 1000);
    t.equal(await problemOf(client.get('/l1001', patient)), 'too-large');
    t.equal(await problemOf(client.get('/c1001', patient)), 'too-large');
    t.equal((await client.get('/l1', patient)).body, 'x', 'and goes on');
  },
);

t.test('does not read on for ever', async (t) => {
  const { client, next } = await start(t, (_, res) => {
    const more = (): void => {
      while (res.write('x'.repeat(1000)));
    };
    res.on('drain', more);
    more();
  });
  const heard = next() as Promise<[IncomingMessage]>;
  t.equal(await problemOf(client.get('/', patient)), 'too-large');
  const [{ socket }] = await heard;
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  t.pass('the connection is given up');
});

t.test('reads characters that arrive in pieces', async (t) => {
  const { client } = await start(t, (_, res) => {
    const bytes = Buffer.from('ü');
    res.write(bytes.subarray(0, 1), () => res.end(bytes.subarray(1)));
  });
  t.equal((await client.get('/', patient)).body, 'ü');
});

t.test('says that nobody answers, or that the answer broke off', async (t) => {
  const { client } = await start(t, (req, res) => {
    if (req.url === '/cut') res.writeHead(200, { 'content-length': 10 }).write('half', () => res.destroy());
    else req.socket.destroy();
  });
  t.equal(await problemOf(client.get('/reset', patient)), 'unreachable');
  t.equal(await problemOf(client.get('/cut', patient)), 'unreachable');
  const nobody = createHttpClient({
    origin: 'http://127.0.0.1:1',
    connections: 1,
    maxBytes: 1,
    clock: new FakeClock(),
  });
  t.teardown(() => nobody.close());
  const error = await failureOf(() => nobody.get('/', patient));
  t.match(error, { name: 'HttpFailure', problem: 'unreachable', message: 'no answer: unreachable' });
  t.match(error.cause, { code: 'ECONNREFUSED' }, 'the log gets the cause');
});

for (const [how, end] of [
  ['with a reset', (req: IncomingMessage) => void req.socket.resetAndDestroy()],
  ['in good order', (req: IncomingMessage) => void req.socket.end()],
] as const) {
  t.test(`asks once more when a kept connection ends ${how} before an answer`, async (t) => {
    const seen = new Set<unknown>();
    let ends = 1;
    const { client, asked, again } = await start(t, (req, res) => {
      if (seen.has(req.socket) && ends-- > 0) end(req);
      else res.end('x');
      seen.add(req.socket);
    });
    await client.get('/1', patient);
    await settle(); // the connection is free a moment after its answer
    t.equal((await client.get('/2', patient)).body, 'x');
    t.same(asked, ['GET /1', 'GET /2', 'GET /2']);
    t.equal(again(), 1);
  });
}

t.test('asks no more than twice, and a connection that never answered not again', async (t) => {
  let connections = 0;
  const { client, asked, again } = await start(t, (req, res) => {
    if (req.url === '/fine') res.end('x');
    else req.socket.resetAndDestroy();
    connections += 1;
  });
  t.equal(await problemOf(client.get('/new', patient)), 'unreachable');
  t.same([asked.length, again(), connections], [1, 0, 1]);
  await client.get('/fine', patient);
  await settle();
  t.equal(await problemOf(client.get('/kept', patient)), 'unreachable');
  t.same(asked, ['GET /new', 'GET /fine', 'GET /kept', 'GET /kept']);
  t.equal(again(), 1);
});

t.test('asks not again when the deadline passes, nor after the head of an answer', async (t) => {
  const { client, clock, again, next } = await start(t, (req, res) => {
    if (req.url === '/fine') res.end('x');
    if (req.url === '/cut') res.writeHead(200, { 'content-length': 10 }).write('half', () => res.destroy());
  });
  await client.get('/fine', patient);
  await settle();
  t.equal(await problemOf(client.get('/cut', patient)), 'unreachable');
  await client.get('/fine', patient);
  await settle();
  const heard = next();
  const problem = problemOf(client.get('/hang', patient));
  await heard;
  await clock.advance(10_000);
  t.equal(await problem, 'timeout');
  t.equal(again(), 0);
});

t.test('answers nobody once it is closed', async (t) => {
  const { client } = await start(t, (_, res) => res.end('x'));
  await client.close();
  t.equal(await problemOf(client.get('/', patient)), 'unreachable');
});
