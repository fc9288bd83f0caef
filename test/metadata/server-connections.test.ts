import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { refuse } from '../../lib/metadata/reply.ts';
import { eventually } from '../lab/eventually.ts';
import { ask, asked, request, talk } from '../wire/client.ts';
import { dial, start } from './listening.ts';

t.test('tells the handler when the client leaves, and counts no status', async (t) => {
  const begun = Promise.withResolvers<AbortSignal>();
  const at = await start(t, async (_req, _trace, signal) => {
    begun.resolve(signal);
    await once(signal, 'abort');
    return refuse('upstream-failed');
  });
  const socket = await dial(t, at);
  socket.write(asked('/'));
  t.notOk((await begun.promise).aborted);
  socket.destroy();
  await eventually('it is over', () => at.served.length === 1);
  t.match(at.served, [{ status: 0, address: '127.0.0.1', failure: undefined }]);
});

t.test('answers pipelined requests in order, one at a time', async (t) => {
  let atOnce = 0;
  const seen: string[] = [];
  const at = await start(t, async (req) => {
    seen.push(req.url ?? '');
    t.equal(++atOnce, 1);
    await new Promise((resolve) => setImmediate(resolve));
    atOnce--;
    return { code: 'upstream', status: 200, headers: {}, body: req.url ?? '' };
  });
  const { replies, closed } = await talk(at, asked('/1') + asked('/2') + asked('/3'), { expected: 3 });
  t.same(
    replies.map(({ body }) => body),
    ['/1', '/2', '/3'],
  );
  t.notOk(closed);
  t.same(seen, ['/1', '/2', '/3', '/still/there']);
});

t.test('answers all that was pipelined before the client ended its side', async (t) => {
  const at = await start(t);
  const socket = await dial(t, at);
  const replies = text(socket);
  socket.end(Array.from({ length: 20 }, (_, i) => asked(`/${i}`)).join(''));
  t.equal((await replies).split('HTTP/1.1 200').length - 1, 20);
});

t.test('begins nothing behind an answer that closes the connection', async (t) => {
  const seen: string[] = [];
  const at = await start(t, async (req) => {
    seen.push(req.url ?? '');
    return refuse('path-refused', true);
  });
  t.match(await ask(at, asked('/1') + asked('/2') + asked('/3')), { status: 400, closed: true });
  t.same(seen, ['/1']);
  t.equal((await ask(at, asked('/4', 'Connection: close'))).status, 400);
  t.same(seen, ['/1', '/4']);
});

t.test('answers what is whole before garbage behind it', async (t) => {
  const at = await start(t);
  const { replies, closed } = await talk(at, `${asked('/')}garbage\r\n\r\n`, { expected: 2 });
  t.same(
    replies.map(({ status }) => status),
    [200, 400],
  );
  t.ok(closed);
});

t.test('ends a request whose body turns to garbage while it is read', async (t) => {
  const at = await start(t, async (req) => {
    for await (const _ of req);
    return refuse('path-unknown');
  });
  const broken = `${request('POST', '/', 'Transfer-Encoding: chunked')}2\r\nab\r\nzz\r\n`;
  t.match(await ask(at, broken), { status: 400, closed: true });
  await eventually('the handler has ended', () => at.served.length === 2);
  t.same(
    at.served.map(({ code, status }) => [code, status]),
    [
      ['http-malformed', 400],
      ['internal-error', 0],
    ],
  );
});

t.test('close() lets requests in flight end and does not wait for idle connections', async (t) => {
  const gate = Promise.withResolvers<void>();
  let begun = 0;
  const at = await start(t, async (req) => {
    begun++;
    if (req.url === '/held') await gate.promise;
    return refuse('path-unknown');
  });
  const idle = await dial(t, at);
  idle.write(asked('/'));
  await once(idle, 'data');
  const held = ask(at, asked('/held'));
  await eventually('it is held', () => begun === 2);
  const idleClosed = once(idle, 'close');
  const closed = at.listener.close(5_000);
  t.notOk(at.listener.listening);
  await idleClosed;
  gate.resolve();
  t.match(await held, { status: 404, headers: { connection: 'close' }, closed: true });
  await closed;
  await eventually('no timer is left', () => at.clock.waiting === 0);
});

t.test('close() cuts what is left at its deadline', async (t) => {
  let left: AbortSignal | undefined;
  const at = await start(t, async (_req, _trace, signal) => {
    left = signal;
    await once(signal, 'abort');
    return refuse('upstream-failed');
  });
  const held = talk(at, asked('/held'));
  await eventually('it is held', () => left);
  const closed = at.listener.close(5_000);
  await at.clock.advance(4_999);
  t.notOk(left?.aborted);
  await at.clock.advance(1);
  await closed;
  t.same(await held, { replies: [], closed: true });
  await at.listener.close(5_000);
});
