import t from 'tap';
import { eventually } from '../lab/eventually.ts';
import { dropAtOnce, line, listOf, stall } from './hostile-api.ts';
import { Rig, thing } from './rig.ts';

t.test('lists, then watches from where the list ends', async (t) => {
  const rig = await Rig.create(t);
  rig.api.lists.push(listOf([thing('a', 'red')], '42'));
  rig.start();
  await rig.seen('watching');
  await rig.reflector.synced();
  await rig.holds({ 'ns/a': 'red' });
  t.match(rig.api.listCalls[0]?.query, { limit: '500' });
  const { timeoutSeconds, ...query } = rig.api.watchCalls[0]?.query ?? {};
  t.same(query, { watch: 'true', allowWatchBookmarks: 'true', resourceVersion: '42' });
  t.ok(Number(timeoutSeconds) >= 290 && Number(timeoutSeconds) <= 350);
  t.same(rig.reflector.freshness(), { synced: true, lastHeardMs: 0, watching: true, silent: false });
});

t.test('passes on what the watch tells', async (t) => {
  const rig = await Rig.create(t);
  rig.api.lists.push(listOf([thing('a', 'red')]));
  rig.start();
  await rig.seen('watching');
  rig.api.streams[0]?.write(line('ADDED', thing('b', 'blue')) + line('MODIFIED', thing('a', 'green')));
  await rig.holds({ 'ns/a': 'green', 'ns/b': 'blue' });
  rig.api.streams[0]?.write(line('DELETED', thing('a', 'green')));
  await rig.holds({ 'ns/b': 'blue' });
});

t.test('takes an object that no longer parses for removed, and says so once', async (t) => {
  const rig = await Rig.create(t);
  rig.api.lists.push(listOf([thing('a', 'red'), thing('odd', 7)]));
  rig.start();
  await rig.seen('watching');
  rig.api.streams[0]?.write(line('MODIFIED', thing('a', 7)) + line('MODIFIED', thing('a', 8)));
  await rig.seen('dropped', 3);
  await rig.holds({});
  const told = rig.log.lines.map((each) => each.fields.object);
  t.same(told, ['ns/odd', 'ns/a']);
  t.equal(rig.api.listCalls.length, 1);
});

t.test('joins lines and characters that arrive in pieces', async (t) => {
  const rig = await Rig.create(t);
  rig.start();
  await rig.seen('watching');
  const bytes = Buffer.from(line('ADDED', thing('a', 'grün-€-🦊')));
  for (const byte of bytes) rig.api.streams[0]?.write(Buffer.of(byte));
  await rig.holds({ 'ns/a': 'grün-€-🦊' });
});

t.test('outlives a sink that throws, and gives it everything again when the watch ends', async (t) => {
  const rig = await Rig.create(t);
  rig.start();
  await rig.seen('watching');
  rig.sink.broken = true;
  rig.api.streams[0]?.write(line('ADDED', thing('a', 'red')) + line('DELETED', thing('a', 'red')));
  await rig.seen('sink-failed', 2);
  rig.sink.broken = false;
  rig.api.streams[0]?.write(line('ADDED', thing('b', 'blue', '12')));
  await rig.holds({ 'ns/b': 'blue' });
  t.equal(rig.log.lines.filter((each) => each.level === 'error').length, 1);
  rig.api.lists.push(listOf([thing('c', 'green')], '20'));
  rig.api.streams[0]?.end();
  await rig.pass();
  await rig.holds({ 'ns/c': 'green' });
});

t.test('is not synced by a list that the sink refuses', async (t) => {
  const rig = await Rig.create(t);
  rig.sink.broken = true;
  rig.start();
  await rig.seen('failed');
  t.equal(rig.reflector.freshness().synced, false);
  t.equal(rig.reflector.freshness().problem, 'things: cannot be taken in (a fault of ours)');
  rig.sink.broken = false;
  await rig.pass();
  await rig.reflector.synced();
});

t.test('leaves nothing open when it is stopped', async (t) => {
  const moments: Record<string, (rig: Rig) => Promise<unknown>> = {
    'during a list': (rig) => {
      rig.api.lists.push(stall);
      rig.start();
      return eventually('the list', () => rig.api.calls.length === 1);
    },
    'during a watch': (rig) => {
      rig.start();
      return rig.seen('watching');
    },
    'before a watch is answered': (rig) => {
      rig.api.watches.push(stall);
      rig.start();
      return eventually('the watch', () => rig.api.watchCalls.length === 1);
    },
    'during a pause': (rig) => {
      rig.api.lists.push(dropAtOnce);
      rig.start();
      return eventually('the pause', () => rig.clock.pauses.length === 1);
    },
  };
  for (const [when, reach] of Object.entries(moments)) {
    await t.test(when, async (t) => {
      const rig = await Rig.create(t);
      await reach(rig);
      const calls = rig.api.calls.length;
      await rig.stop();
      t.equal(rig.clock.waiting, 0);
      await eventually('at most the idle connection of the list is left', () => rig.api.openSockets <= 1);
      await rig.connection.close();
      await eventually('every connection is closed', () => rig.api.openSockets === 0);
      await rig.clock.advance(60_000);
      t.equal(rig.api.calls.length, calls);
    });
  }
});

t.test('never runs twice at once', async (t) => {
  const rig = await Rig.create(t);
  rig.start();
  await t.rejects(rig.reflector.run(new AbortController().signal), /runs already/);
});
