import t from 'tap';
import { eventually } from '../lab/eventually.ts';
import { type Answer, dropAtOnce, json, line, listOf, refuse, sendAndClose, stall } from './hostile-api.ts';
import { Rig, thing } from './rig.ts';

t.test('goes on from the last event after a drop in the middle of a line', async (t) => {
  const rig = await Rig.create(t);
  rig.start();
  await rig.seen('watching');
  const [stream] = rig.api.streams;
  stream?.write(
    `${line('ADDED', thing('a', 'red', '17'))}${line('MODIFIED', thing('a', 'red', ''))}{"type":"ADDED","object":{"meta`,
  );
  await rig.holds({ 'ns/a': 'red' });
  stream?.socket?.destroy();
  await rig.pass();
  await rig.seen('watching', 2);
  t.equal(rig.api.watchCalls[1]?.query.resourceVersion, '17');
  t.equal(rig.api.listCalls.length, 1);
});

t.test('moves its place forward with bookmarks', async (t) => {
  const rig = await Rig.create(t);
  rig.api.watches.push(sendAndClose(line('BOOKMARK', { metadata: { resourceVersion: '99' } })));
  rig.start();
  await rig.pass();
  await rig.seen('watching', 2);
  t.equal(rig.api.watchCalls[1]?.query.resourceVersion, '99');
  t.equal(rig.api.listCalls.length, 1);
});

t.test('gives up a silent connection after 90 s and goes on where it was', async (t) => {
  const rig = await Rig.create(t);
  rig.start();
  await rig.seen('watching');
  await rig.clock.advance(60_000);
  rig.api.streams[0]?.write(line('BOOKMARK', { metadata: { resourceVersion: '12' } }));
  await eventually('the bookmark', () => rig.reflector.freshness().lastHeardMs === 0);
  await rig.clock.advance(89_000);
  t.equal(rig.count('failed'), 0);
  t.equal(rig.reflector.freshness().lastHeardMs, 89_000);
  await rig.clock.advance(1_000);
  await rig.seen('watching', 2);
  t.equal(rig.api.watchCalls[1]?.query.resourceVersion, '12');
  t.same(rig.clock.pauses, []);
  t.same(rig.reflector.freshness(), { synced: true, lastHeardMs: 0, watching: true, silent: true });
  t.same(rig.log.lines, []);
  t.equal(rig.api.listCalls.length, 1);
  await eventually('the silent connection is closed', () => rig.api.openSockets === 1);
  rig.api.streams[1]?.write(line('BOOKMARK', { metadata: { resourceVersion: '13' } }));
  await eventually('its successor is believed once it speaks', () => !rig.reflector.freshness().silent);
});

t.test('gives up a watch whose answer never begins', async (t) => {
  const rig = await Rig.create(t);
  rig.api.watches.push(stall);
  rig.start();
  await eventually('the watch', () => rig.api.watchCalls.length === 1);
  await rig.clock.advance(30_000);
  await rig.pass();
  await rig.seen('watching');
  t.equal(rig.api.listCalls.length, 1);
});

t.test('lists again when its place is forgotten', async (t) => {
  const expired = line('ERROR', { kind: 'Status', code: 410, reason: 'Expired' });
  const answers = {
    'as a status': () => refuse(410),
    'as an event, then closes': () => sendAndClose(expired),
    'as an event, and does not close': (): Answer => (response) =>
      void response.writeHead(200).write(expired),
    'as another ERROR event': () => sendAndClose(line('ERROR', { kind: 'Status', code: 500 })),
  };
  for (const [how, answer] of Object.entries(answers)) {
    await t.test(how, async (t) => {
      const rig = await Rig.create(t);
      rig.api.lists.push(listOf([thing('a', 'red')], '10'), listOf([thing('b', 'blue')], '20'));
      rig.api.watches.push(answer());
      rig.start();
      await rig.seen('failed');
      if (how.startsWith('as an event')) {
        t.equal(rig.reflector.freshness().problem, 'things: the API server forgot where we were');
      }
      await rig.pass();
      await rig.seen('watching', how === 'as a status' ? 1 : 2);
      await rig.holds({ 'ns/b': 'blue' });
      t.equal(rig.api.watchCalls[1]?.query.resourceVersion, '20');
      await eventually('one watch is open', () => rig.api.openSockets <= 2);
    });
  }
});

t.test('lists again after what is not the protocol', async (t) => {
  const nonsense = {
    garbage: 'HELLO?\n',
    'an event of an unknown type': line('CHANGED', thing('a', 'red')),
    'an object without a name': line('ADDED', { metadata: {} }),
    'bytes that are not UTF-8': Buffer.from([0x22, 0xff, 0xfe, 0x0a]),
    'a line of over 8 MB': 'x'.repeat(8 * 1024 * 1024 + 1),
  };
  for (const [what, bytes] of Object.entries(nonsense)) {
    await t.test(what, async (t) => {
      const rig = await Rig.create(t);
      rig.start();
      await rig.seen('watching');
      rig.api.lists.push(listOf([thing('b', 'blue')], '20'));
      rig.api.streams[0]?.write(bytes);
      await rig.pass();
      await rig.seen('watching', 2);
      await rig.holds({ 'ns/b': 'blue' });
    });
  }
});

t.test('tries again after errors, later and later, and soon again after a healthy watch', async (t) => {
  const rig = await Rig.create(t);
  rig.api.lists.push(refuse(500), dropAtOnce, refuse(503));
  rig.start();
  for (const times of [1, 2, 3]) await rig.pass(times);
  await rig.seen('watching');
  t.equal(rig.reflector.freshness().problem, undefined);
  await rig.clock.advance(30_000);
  rig.api.streams[0]?.socket?.destroy();
  await rig.pass(4);
  await rig.seen('watching', 2);
  t.same(rig.clock.pauses, [250, 500, 1_000, 250]);
});

t.test(
  'asks again at once when the server ends a healthy watch, and backs off when it ends every watch',
  async (t) => {
    const rig = await Rig.create(t);
    rig.start();
    await rig.seen('watching');
    await rig.clock.advance(30_000);
    rig.api.watches.push(sendAndClose(''), sendAndClose(''));
    rig.api.streams[0]?.end();
    await rig.seen('watching', 2);
    await rig.pass(1);
    await rig.pass(2);
    await rig.seen('watching', 4);
    t.same(rig.clock.pauses, [250, 500]);
    t.equal(rig.api.listCalls.length, 1);
    t.equal(rig.count('failed'), 0);
  },
);

t.test('waits as long as a 429 asks', async (t) => {
  const rig = await Rig.create(t);
  rig.api.lists.push(refuse(429, 'slow down', { 'retry-after': '7' }));
  rig.start();
  await rig.seen('failed');
  t.equal(rig.reflector.freshness().problem, 'things: the API server is overloaded (429)');
  await rig.pass();
  await rig.seen('watching');
  t.same(rig.clock.pauses, [7_250]);
});

t.test('tells what is missing, is not synced meanwhile, and recovers by itself', async (t) => {
  const missing = [
    [refuse(403, 'things is forbidden'), 'things: no right to list and watch things'],
    [json(404, '404 page not found'), 'things: the API server does not know things'],
    [refuse(401), 'things: the API server does not accept our credentials'],
  ] as const;
  for (const [answer, problem] of missing) {
    await t.test(problem, async (t) => {
      const rig = await Rig.create(t);
      rig.api.lists.push(answer, answer);
      rig.start();
      await rig.seen('failed');
      t.same(rig.reflector.freshness(), {
        synced: false,
        lastHeardMs: undefined,
        watching: false,
        silent: false,
        problem,
      });
      await rig.pass(1);
      await rig.pass(2);
      await rig.seen('watching');
      t.same(rig.reflector.freshness(), { synced: true, lastHeardMs: 0, watching: true, silent: false });
      t.same(
        rig.log.lines.map((each) => each.message),
        ['kubernetes watch interrupted', 'kubernetes watch recovered'],
      );
    });
  }
});
