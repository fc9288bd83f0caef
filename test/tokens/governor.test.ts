import t from 'tap';
import { settle } from '../fakes/clock.ts';
import { pick, seeded } from '../fakes/random.ts';
import { ok, serveAll, start } from './governor-rig.ts';
import { mostInASecond } from './throttled-imds.ts';

t.test('lets five in at a time, and the next when one leaves', async (t) => {
  const rig = start();
  for (const who of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) rig.ask(who);
  await settle();
  t.same(rig.started, ['a', 'b', 'c', 'd', 'e']);
  t.same(rig.standing.token, { inFlight: 5, queued: 2 });
  rig.leaves.shift()?.(ok);
  await settle();
  t.same(rig.started.slice(5), ['f']);
  rig.leaves[0]?.(ok);
  rig.leaves[0]?.(ok);
  rig.ask('h');
  await settle();
  t.same(rig.started.slice(6), ['g'], 'a turn is given back once');
});

t.test('lets twenty in a second, counted from the end of each call', async (t) => {
  const rig = start();
  for (let i = 0; i < 30; i++) rig.ask(`pod${i}`);
  for (let i = 0; i < 4; i++) {
    await rig.clock.advance(100);
    for (const leave of rig.leaves.splice(0)) leave(ok);
  }
  await settle();
  t.equal(rig.started.length, 20);
  await rig.clock.advance(700); // the first five ended 1,000 ms ago
  t.equal(rig.started.length, 20);
  await rig.clock.advance(1);
  t.equal(rig.started.length, 25);
  await rig.clock.advance(99);
  for (const leave of rig.leaves.splice(0)) leave(ok);
  await rig.clock.advance(1);
  t.equal(rig.started.length, 30);
});

t.test('pods take turns: one that asks much delays another by one call', async (t) => {
  const rig = start();
  for (let i = 0; i < 20; i++) rig.ask('greedy');
  for (const who of ['a', 'b', 'c']) rig.ask(who);
  await serveAll(rig, 10);
  t.same(rig.started.slice(5, 9), ['greedy', 'a', 'b', 'c']);
  t.equal(rig.started.filter((who) => who === 'greedy').length, 20);
});

t.test("the agent's own calls yield to waiting pods, and come at last", async (t) => {
  const rig = start();
  for (const who of ['a', 'b', 'c', 'd', 'e', '', '', 'f', 'g']) rig.ask(who);
  await serveAll(rig, 10);
  t.same(rig.started.slice(5), ['f', 'g', '', '']);
});

t.test('documents have five a second and three at a time, and take turns with tokens', async (t) => {
  const rig = start();
  for (let i = 0; i < 8; i++) rig.ask(`doc${i}`, { kind: 'pass' });
  await settle();
  t.same(rig.started, ['doc0', 'doc1', 'doc2']);
  t.same(rig.standing.pass, { inFlight: 3, queued: 5 });
  for (const who of ['a', 'b', 'c']) rig.ask(who);
  await settle();
  t.same(rig.started.slice(3), ['a', 'b'], 'five in all');
  t.same(rig.standing.token, { inFlight: 2, queued: 1 });
  for (const leave of rig.leaves.splice(0)) leave(ok);
  await settle();
  t.same(rig.started.slice(5), ['doc3', 'c', 'doc4'], 'five documents are what a second has');
  for (const leave of rig.leaves.splice(0)) leave(ok);
  await rig.clock.advance(1_000);
  t.equal(rig.started.length, 8);
  await rig.clock.advance(1);
  t.same(rig.started.slice(8), ['doc5', 'doc6', 'doc7']);
});

t.test('documents that hang leave tokens their turns', async (t) => {
  const rig = start();
  for (let i = 0; i < 5; i++) rig.ask(`doc${i}`, { kind: 'pass' });
  for (let i = 0; i < 10; i++) rig.ask(`pod${i}`);
  await settle();
  const hanging = rig.leaves.splice(0, 3);
  t.equal(hanging.length, 3);
  for (let i = 0; i < 5; i++) {
    await rig.clock.advance(10);
    for (const leave of rig.leaves.splice(0)) leave(ok);
  }
  await settle();
  t.equal(rig.started.filter((who) => who.startsWith('pod')).length, 10);
});

t.test('a call made beside counts, and a turn that was not used does not', async (t) => {
  const rig = start();
  for (let i = 0; i < 19; i++) rig.governor.count('token');
  rig.ask('a');
  rig.ask('b');
  await settle();
  t.same(rig.started, ['a']);
  rig.leaves.shift()?.('unused');
  await settle();
  t.same(rig.started, ['a', 'b']);
  t.equal(rig.told.filter((told) => told === 'token lost').length, 19);
});

t.test('never more than 5 in flight and 20 a second, 5 of them documents, whatever comes when', async (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seeded(seed);
    const { clock, governor } = start();
    const arrivals = { token: [] as number[], pass: [] as number[] };
    let [inFlight, most] = [0, 0];
    const call = async (): Promise<void> => {
      const kind = pick(['token', 'token', 'pass'], random);
      const asker = { who: pick(['', 'a', 'b', 'c', 'd'], random), until: clock.monotonic() + 8_000 };
      const leave = await governor.enter(kind, asker).catch(() => undefined);
      if (!leave) return;
      inFlight += 1;
      most = Math.max(most, inFlight);
      await clock.sleep(200 * random());
      arrivals[kind].push(clock.now());
      await clock.sleep(200 * random());
      inFlight -= 1;
      leave(pick([ok, ok, ok, 'unanswered'], random));
    };
    const calls: Promise<void>[] = [];
    for (let i = 0; i < 60; i++) {
      for (let n = 0; n < 5 * random(); n++) calls.push(call());
      await clock.advance(Math.floor(100 * random()));
    }
    await clock.advance(30_000);
    await Promise.all(calls);
    t.ok(most <= 5, `seed ${seed}: ${most} in flight`);
    t.ok(mostInASecond([...arrivals.token, ...arrivals.pass]) <= 20, `seed ${seed}: a second`);
    t.ok(mostInASecond(arrivals.pass) <= 5, `seed ${seed}: documents a second`);
    t.equal(clock.waiting, 0, `seed ${seed}: no timer is left`);
  }
});
