import { once } from 'node:events';
import { createServer } from 'node:net';
import t from 'tap';
import { createPassThrough } from '../../lib/metadata/pass-through.ts';
import { FakeClock, settle } from '../fakes/clock.ts';
import { deadlineMs, get, heard, never, start, textOf } from './passing.ts';
import { type Play, reply } from './upstream.ts';

t.test('answers 502 for whatever is not a whole answer', async (t) => {
  const broken: [string, Play][] = [
    ['the end before a byte', (socket) => void socket.end()],
    ['a reset', (socket) => void socket.resetAndDestroy()],
    [
      'the end within the body',
      (socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'),
    ],
    [
      'the end within a chunk',
      (socket) => void socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc'),
    ],
    ['bytes that are not HTTP', (socket) => void socket.end('hello\r\n\r\n')],
    ['two lengths', () => 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc'],
    ['more than 1 MB', () => reply('x'.repeat(1024 * 1024 + 1))],
  ];
  for (const [name, play] of broken) {
    const { pass } = await start(t, play);
    t.match(await pass(get(), never), { status: 502, code: 'upstream-failed' }, name);
  }
});

t.test('answers 502 when nothing listens, and goes on', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  const pass = createPassThrough({ ip: '127.0.0.1', port, clock: new FakeClock(), deadlineMs });
  t.teardown(() => pass.close());
  for (const _ of [1, 2]) t.match(await pass(get(), never), { status: 502, code: 'upstream-failed' });
});

t.test('answers 504 at the deadline, wherever the upstream hangs, and leaves it', async (t) => {
  const hanging: [string, Play][] = [
    ['before a byte', () => undefined],
    ['within the head', () => 'HTTP/1.1 200 OK\r\nContent-Le'],
    ['within the body', () => 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'],
    ['after 101', () => 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'],
  ];
  for (const [name, play] of hanging) {
    const setting = await start(t, play);
    const answer = setting.pass(get(), never);
    await heard(setting);
    await setting.clock.advance(deadlineMs);
    t.match(await answer, { status: 504, code: 'upstream-timeout' }, name);
    await setting.upstream.untilEnded(1);
    t.equal(setting.clock.waiting, 0, `${name}: no timer is left`);
  }
});

t.test('answers 504 at the deadline also while it waits for a connection', async (t) => {
  const setting = await start(t, () => undefined);
  const all = Array.from({ length: 20 }, () => setting.pass(get(), never));
  await heard(setting, 16);
  await setting.clock.advance(deadlineMs);
  for (const answer of await Promise.all(all)) t.equal(answer.status, 504);
});

t.test('leaves the upstream when the client leaves', async (t) => {
  const playing: [string, Play][] = [
    ['before a byte', () => undefined],
    ['within the body', () => 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'],
  ];
  for (const [name, play] of playing) {
    const setting = await start(t, play);
    const client = new AbortController();
    const answer = setting.pass(get(), client.signal);
    await heard(setting);
    await settle();
    client.abort();
    t.match(await answer, { status: 502 }, name);
    await setting.upstream.untilEnded(1);
    t.equal(setting.clock.waiting, 0);
  }
});

t.test('asks nothing for a client that has left already', async (t) => {
  const { upstream, pass } = await start(t, () => reply('{}'));
  t.match(await pass(get(), AbortSignal.abort()), { status: 502 });
  await pass(get(), never);
  t.equal(upstream.heard.flat().length, 1);
});

t.test('a client that leaves after its answer ends nothing of the next', async (t) => {
  const { upstream, pass } = await start(t, () => reply('{}'));
  const client = new AbortController();
  await pass(get(), client.signal);
  await settle(); // the connection is free a moment after its answer
  const next = pass(get(), never);
  client.abort();
  t.equal((await next).status, 200);
  t.equal(upstream.heard.length, 1);
});

t.test('does not use a connection again whose answer broke off or was let go', async (t) => {
  let plays = 0;
  const setting = await start(t, () =>
    plays++ === 0 ? 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc' : reply('{}'),
  );
  const first = setting.pass(get(), never);
  await heard(setting);
  await setting.clock.advance(deadlineMs);
  t.equal((await first).status, 504);
  t.equal(textOf(await setting.pass(get(), never)), '{}');
  t.equal(setting.upstream.heard.length, 2);
});

t.test('a request that cannot be sent is a 502, not an exception', async (t) => {
  const { upstream, pass } = await start(t, () => reply('{}'));
  t.match(await pass(get({ 'user-agent': 'a\nb' }), never), { status: 502 });
  t.match(await pass(get({}, '/metadata/ä b'), never), { status: 502 });
  t.same(upstream.heard, []);
});
