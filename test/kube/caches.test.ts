import t, { type Test } from 'tap';
import { Caches } from '../../lib/kube/caches.ts';
import type { ReflectorEvent } from '../../lib/kube/reflector.ts';
import type { Resource } from '../../lib/kube/resource.ts';
import { settle } from '../fakes/clock.ts';
import { eventually } from '../lab/eventually.ts';
import { line, listOf, stall } from './hostile-api.ts';
import { connect, MemoryLog, type Thing, ThingSink, thing, things } from './rig.ts';

const others: Resource<Thing> = { ...things, name: 'others', path: '/apis/example.com/v1/others' };

/** Caches of `things` and `others` against a server of their own, how often they told of a change, and a way to start them. */
async function create(t: Test) {
  const { api, clock, connection } = await connect(t);
  const changes: number[] = [];
  const events: ReflectorEvent[] = [];
  const sinks = { things: new ThingSink(), others: new ThingSink() };
  const held = (): number => sinks.things.held.size + sinks.others.held.size;
  const caches = new Caches({
    connection,
    random: () => 0,
    log: new MemoryLog(),
    onChange: () => changes.push(held()),
    onEvent: (event) => events.push(event),
  });
  caches.add(things, sinks.things);
  caches.add(others, sinks.others);
  const stop = new AbortController();
  let running: Promise<void> | undefined;
  t.teardown(async () => {
    stop.abort();
    await running;
  });
  const start = (): void => {
    running = caches.run(stop.signal);
  };
  const watching = (): Promise<unknown> =>
    eventually('both are watched', () => caches.isFresh('things') && caches.isFresh('others'), {
      everyMs: 2,
    });
  return { api, clock, caches, sinks, changes, events, start, watching };
}

const { signal } = new AbortController();

t.test('is synced when every cache has been filled once', async (t) => {
  const { api, caches, start } = await create(t);
  t.notOk(caches.synced);
  t.same(caches.problems(), ['things: not read yet', 'others: not read yet']);
  const answered = Promise.withResolvers<void>();
  api.lists.push(listOf([]), (response, call) => {
    void answered.promise.then(() => listOf([])(response, call));
  });
  start();
  await eventually('one is read', () => caches.problems().length === 1, { everyMs: 2 });
  t.notOk(caches.synced, 'one of two is not enough');
  const waiting = caches.whenSynced(8_000, signal);
  answered.resolve();
  t.equal(await waiting, true);
  t.ok(caches.synced);
  t.equal(await caches.whenSynced(0, signal), true, 'from then on at once');
});

t.test('waits for it no longer than told, nor for a client that has gone', async (t) => {
  const { api, caches, clock, start } = await create(t);
  api.lists.push(stall, stall);
  start();
  const late = caches.whenSynced(8_000, signal);
  const gone = new AbortController();
  const left = caches.whenSynced(8_000, gone.signal);
  gone.abort();
  t.equal(await left, false);
  await clock.advance(8_000);
  t.equal(await late, false);
});

t.test('tells of every change once the sink has taken it in', async (t) => {
  const { api, sinks, changes, start, watching } = await create(t);
  api.lists.push(listOf([thing('a', 'red')]), listOf([thing('a', 'red')]));
  start();
  await watching();
  t.same(changes, [1, 2], 'a list is one');
  for (const stream of api.streams) stream.write(line('ADDED', thing('b', 'blue')));
  await eventually('both hold two', () => sinks.things.held.size + sinks.others.held.size === 4, {
    everyMs: 2,
  });
  for (const stream of api.streams) stream.write(line('DELETED', thing('a', 'red')));
  await eventually('both hold one', () => sinks.things.held.size + sinks.others.held.size === 2, {
    everyMs: 2,
  });
  await settle();
  t.same(changes, [1, 2, 3, 4, 3, 2]);
});

t.test('tells of a change at which the sink failed, since it may have taken half of it in', async (t) => {
  const { api, sinks, changes, events, start, watching } = await create(t);
  start();
  await watching();
  const before = changes.length;
  sinks.things.broken = true;
  sinks.others.broken = true;
  for (const stream of api.streams) stream.write(line('ADDED', thing('b', 'blue')));
  const failed = (): boolean => events.filter((event) => event === 'sink-failed').length === 2;
  await eventually('both sinks have failed', failed, { everyMs: 2 });
  t.equal(changes.length, before + 2);
});

t.test('is fresh while a watch is open, and not once it has ended', async (t) => {
  const { api, caches, start, watching } = await create(t);
  t.notOk(caches.isFresh('things'), 'not before it begins');
  start();
  await watching();
  t.same(caches.problems(), []);
  t.notOk(caches.isFresh('never added'));
  api.streams.find(({ req }) => req.url?.includes('/things'))?.end();
  await eventually('things are fresh no more', () => !caches.isFresh('things'), { everyMs: 2 });
  t.ok(caches.isFresh('others'), 'each for itself');
  t.same(caches.problems(), [], 'a watch that ends is no trouble yet');
  t.ok(caches.synced, 'and what was read stays read');
});

t.test('without a watch for half a minute it is not up to date any more, and says why', async (t) => {
  const { api, caches, clock, start, watching } = await create(t);
  start();
  await watching();
  await api.close();
  await eventually('the watch is gone', () => !caches.isFresh('things'), { everyMs: 2 });
  await clock.advance(29_000);
  t.same(caches.problems(), [], 'it may be a restart of the API server');
  await clock.advance(2_000);
  t.equal(caches.problems().length, 2);
  t.match(caches.problems()[0], /^things: /);
});
