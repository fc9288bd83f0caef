import { once } from 'node:events';
import t, { type Test } from 'tap';
import type { Handler } from '../../lib/metadata/stages.ts';
import { eventually } from '../lab/eventually.ts';
import { ask, asked, jsonOf, talk } from '../wire/client.ts';
import { dial, ok, type Setting, start } from './listening.ts';

/** Two pods; connections from different loopback addresses. */
const flooder = '127.0.0.2';
const other = '127.0.0.3';

/** A handler that answers `/held` when `release` is called, and all else at once; `begun` counts. */
function holding() {
  const gate = Promise.withResolvers<void>();
  const state = { begun: 0 };
  const handler: Handler = async (req, trace, signal) => {
    state.begun += 1;
    if (req.url === '/held') await gate.promise;
    return ok(req, trace, signal);
  };
  return { handler, state, release: () => gate.resolve() };
}

/** The answer to these bytes from the flooder, which comes no sooner than the clock allows. */
async function refusedSlowly(at: Setting, bytes: string): ReturnType<typeof ask> {
  const before = at.clock.waiting;
  const reply = ask({ ...at, from: flooder }, bytes);
  await eventually('it is being refused', () => at.clock.waiting > before);
  await at.clock.advance(249);
  const count = at.served.length;
  await at.clock.advance(1);
  await eventually('it is refused', () => at.served.length > count);
  return reply;
}

async function manyFrom(t: Test, at: Setting, address: string, count: number) {
  const sockets = await Promise.all(Array.from({ length: count }, () => dial(t, at, address)));
  return sockets;
}

t.test('a pod over its rate gets a 429 on a connection that goes on, and another its answer', async (t) => {
  const at = await start(t, ok, { rate: { burst: 3, perSecond: 1 } });
  t.equal((await ask({ ...at, from: other }, asked('/', 'Connection: close'))).status, 200);
  const socket = await dial(t, at, flooder);
  for (let i = 0; i < 3; i++) {
    socket.write(asked('/'));
    t.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 200 /);
  }
  const reply = await refusedSlowly(at, asked('/', 'Connection: close'));
  t.match(reply, { status: 429, headers: { 'retry-after': '1', 'content-type': /json/ } });
  t.match(jsonOf(reply), { error: 'too_many_requests', request_id: at.served.at(-1)?.requestId });
  socket.write(asked('/'));
  const refused = once(socket, 'data');
  await eventually('it is being refused', () => at.clock.waiting === 1);
  await at.clock.advance(250);
  t.match(String((await refused)[0]), /^HTTP\/1\.1 429 [\s\S]*connection: keep-alive/i);
  t.equal((await ask({ ...at, from: other }, asked('/'))).status, 200);
  t.match(at.served.at(-3), {
    code: 'too-many-requests',
    status: 429,
    address: flooder,
    trace: { route: 'refused' },
  });
});

t.test('a pod that holds 256 requests gets no other, and another pod is served', async (t) => {
  const { handler, state, release } = holding();
  const at = await start(t, handler);
  const sockets = await manyFrom(t, at, flooder, 256);
  for (const socket of sockets) socket.write(asked('/held'));
  await eventually('all are held', () => state.begun === 256);
  t.match(await refusedSlowly(at, asked('/', 'Connection: close')), {
    status: 429,
    body: /waiting for their answer/,
  });
  t.equal((await ask({ ...at, from: other }, asked('/'))).status, 200);
  const answers = Promise.all(sockets.map((socket) => once(socket, 'data')));
  release();
  t.ok(
    (await answers).every(([data]) => String(data).startsWith('HTTP/1.1 200 ')),
    'what was held is answered',
  );
  t.equal(
    (await ask({ ...at, from: flooder }, asked('/', 'Connection: close'))).status,
    200,
    'and there is room',
  );
});

t.test('a held request whose client leaves makes room', async (t) => {
  const { handler, state, release } = holding();
  t.teardown(release);
  const untilGone: Handler = async (req, trace, signal) => {
    const over = once(signal, 'abort').catch(() => undefined);
    await Promise.race([handler(req, trace, signal), over]);
    return ok(req, trace, signal);
  };
  const at = await start(t, untilGone);
  for (const round of [1, 2]) {
    const sockets = await manyFrom(t, at, flooder, 256);
    for (const socket of sockets) socket.write(asked('/held'));
    await eventually('all are held', () => state.begun === round * 256);
    for (const socket of sockets) socket.destroy();
    await eventually('all are over', () => at.served.length === round * 256);
    t.equal(state.begun, round * 256);
    await at.clock.advance(2_000); // for the rate, which is not the matter here
  }
});

t.test('the 801st connection of a pod is told why, some more too, and the rest is cut', async (t) => {
  const at = await start(t);
  await manyFrom(t, at, flooder, 800);
  const reply = await refusedSlowly(at, asked('/'));
  t.match(reply, {
    status: 429,
    body: /too many connections/,
    headers: { connection: 'close' },
    closed: true,
  });
  t.equal((await ask({ ...at, from: other }, asked('/'))).status, 200);
  const silent = await manyFrom(t, at, flooder, 64);
  await eventually('64 wait to be told', () => at.clock.waiting === 64);
  const cut = await dial(t, at, flooder);
  if (!cut.destroyed) await once(cut, 'close');
  t.match(at.served.at(-1), { code: 'too-many-connections', status: 0, address: flooder });
  const closed = Promise.all(silent.map((socket) => once(socket, 'close')));
  await at.clock.advance(2_000);
  await closed;
  t.equal(at.clock.waiting, 0, 'nothing of them stays');
});

t.test('garbage counts like requests, and beyond the rate it gets no answer', async (t) => {
  const at = await start(t, ok, { rate: { burst: 2, perSecond: 1 } });
  const garbage = (): ReturnType<typeof talk> => talk({ ...at, from: flooder }, 'garbage\r\n\r\n');
  t.match(await ask({ ...at, from: other }, 'garbage\r\n\r\n'), { status: 400 });
  for (const status of [400, 400]) t.match(await garbage(), { replies: [{ status }], closed: true });
  t.same(await garbage(), { replies: [], closed: true });
  t.match(at.served.at(-1), { code: 'too-many-requests', status: 0, address: flooder });
  t.match(await ask({ ...at, from: other }, 'garbage\r\n\r\n'), { status: 400 });
  await at.clock.advance(1_000);
  t.match(await garbage(), { replies: [{ status: 400 }] }, 'and counts for no longer than they do');
});

t.test('thousands of pipelined requests behind a held one cost their connection', async (t) => {
  const { handler, state, release } = holding();
  t.teardown(release);
  const at = await start(t, handler);
  const { replies, closed } = await talk({ ...at, from: flooder }, asked('/held') + asked('/').repeat(5_000));
  t.same(replies, []);
  t.ok(closed);
  t.equal(state.begun, 1, 'none behind the first was begun');
  t.match(at.served, [{ code: 'too-many-in-flight', status: 0, address: flooder }], 'one record of it');
  release();
  await eventually('the first is over', () => at.served.length === 2);
  t.equal(
    (await ask({ ...at, from: flooder }, asked('/', 'Connection: close'))).status,
    200,
    'all have left',
  );
});

t.test('a body that does not come is not waited for', async (t) => {
  const read: Handler = async (req, trace, signal) => {
    for await (const _ of req);
    return ok(req, trace, signal);
  };
  const at = await start(t, read, { headMs: 50 });
  const slow = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc';
  t.match(await ask({ ...at, from: flooder }, slow), { status: 408, closed: true });
  await eventually('the handler has ended', () => at.served.length === 2);
});

t.test(
  'a client that does not read its answer loses its connection, and gets no second into memory',
  async (t) => {
    const large = Buffer.alloc(16 * 1024 * 1024);
    let begun = 0;
    const handler: Handler = async () => {
      begun += 1;
      return { code: 'upstream', status: 200, headers: {}, body: large };
    };
    const at = await start(t, handler);
    const socket = await dial(t, at, flooder);
    socket.pause();
    socket.write(asked('/').repeat(3));
    await eventually('the first is sent', () => at.served.length === 1);
    const isGone = (): boolean => {
      socket.write('\r\n'); // a paused socket learns from a write alone that the other side is gone
      return socket.destroyed;
    };
    for (let i = 0; i < 10; i++) isGone();
    await at.clock.advance(9_999);
    t.notOk(isGone(), 'what it sends does not count as reading, nor against it');
    await at.clock.advance(1);
    await eventually('the connection is gone', isGone);
    t.equal(begun, 1);
  },
);
