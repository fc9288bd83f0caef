import t from 'tap';
import { redirectChain } from '../../lib/redirect/rules.ts';
import { SharedNode, whole } from './agents.ts';
import { ours, rules } from './setup.ts';

t.test('a successor takes over in one write, and its predecessor yields without one', async (t) => {
  const node = new SharedNode();
  const a = node.start('a1');
  await node.quiet(5_000);
  t.same(node.writes, ['a1']);
  const b = node.start('b2');
  await node.quiet(5_000);
  t.same(node.writes, ['a1', 'b2']);
  t.match(a.redirect.state(), { redirect: 'absent', yielded: true, why: undefined });
  t.match(b.redirect.state(), { redirect: 'present', guard: 'present', yielded: false });
  t.match(ours(node.fake), whole('b2', 2580));
  await node.quiet(60_000);
  t.equal(node.writes.length, 2, 'and nobody writes again');
});

t.test('the one that lost never withdraws', async (t) => {
  const node = new SharedNode();
  const a = node.start('a1');
  await node.quiet(5_000);
  node.start('b2');
  await node.quiet(5_000);
  const ended = a.end();
  await node.quiet(5_000);
  t.same(await ended, []);
  t.match(ours(node.fake), whole('b2', 2580));
  t.same(node.writes, ['a1', 'b2']);
});

t.test('nor when the other took over after the last look', async (t) => {
  const node = new SharedNode();
  const a = node.start('a1');
  await node.quiet(5_000);
  node.start('b2');
  await node.clock.advance(0);
  t.equal(node.owner(), 'b2');
  t.match(a.redirect.state(), { yielded: false });
  const ended = a.end();
  await node.quiet(5_000);
  t.same(await ended, []);
  t.match(ours(node.fake), whole('b2', 2580));
});

t.test('nor when the other comes while its own requests are drained', async (t) => {
  const node = new SharedNode();
  const a = node.start('a1');
  await node.quiet(5_000);
  const ended = a.end();
  await node.clock.advance(0);
  node.start('b2');
  await node.clock.advance(0);
  t.match(ours(node.fake), whole('b2', 2580));
  node.fake.onCall = () => t.match(ours(node.fake), whole('b2', 2580));
  await node.quiet(5_000);
  t.same(await ended, ['nft nat: -A PREROUTING -j aad-metadata']);
});

t.test('nor when the other comes between the look and the removal', async (t) => {
  const node = new SharedNode();
  const a = node.start('a1');
  await node.quiet(5_000);
  node.fake.onCall = (_, args) => {
    if (!args.includes('--noflush')) return;
    node.fake.onCall = () => undefined;
    const chain = redirectChain({ ...rules, owner: 'b2' }, 2580);
    node.fake.put('nft', 'nat', ':aad-metadata - [0:0]', `-A aad-metadata ${chain.rules[0]}`);
    node.listen(2580, 'b2');
  };
  const ended = a.end();
  await node.quiet(5_000);
  t.same(await ended, []);
  t.match(ours(node.fake), whole('b2', 2580));
});

t.test('an agent that took a redirect over withdraws it like its own', async (t) => {
  const node = new SharedNode();
  const a = node.start('a1');
  await node.quiet(5_000);
  const b = node.start('b2');
  await node.quiet(5_000);
  a.kill();
  const ended = b.end();
  await node.quiet(5_000);
  t.equal((await ended)?.length, whole('b2', 2580).length);
  t.same(ours(node.fake), []);
});

t.test('the one that lost stands by, and serves again once the other is dead', async (t) => {
  const node = new SharedNode();
  const a = node.start('a1');
  await node.quiet(5_000);
  const b = node.start('b2');
  await node.quiet(5_000);
  b.kill();
  await node.quiet(1_000);
  t.equal(node.owner(), 'b2', 'not for one look alone');
  await node.quiet(3_000);
  t.match(ours(node.fake), whole('a1', 2579));
  t.match(a.redirect.state(), { redirect: 'present', yielded: false });
  t.same(node.writes, ['a1', 'b2', 'a1']);
});

t.test('the one that lost serves again once the other has withdrawn', async (t) => {
  const node = new SharedNode();
  node.start('a1');
  await node.quiet(5_000);
  const b = node.start('b2');
  await node.quiet(5_000);
  void b.end();
  await node.quiet(10_000);
  t.match(ours(node.fake), whole('a1', 2579));
  t.same(node.breaches, []);
});

t.test('a successor that uses the other backend takes over all the same', async (t) => {
  const node = new SharedNode();
  const a = node.start('a1');
  await node.quiet(5_000);
  const b = node.start('b2', { backend: 'legacy' });
  await node.quiet(10_000);
  t.match(a.redirect.state(), { yielded: true });
  t.match(b.redirect.state(), { redirect: 'present', backend: 'legacy' });
  t.match(ours(node.fake, 'legacy'), whole('b2', 2580));
  t.notMatch(node.fake.lines('nft', 'nat').join(), /aad-metadata/);
  t.same(node.writes, ['a1', 'b2', '-b2']);
  const ended = a.end();
  await node.quiet(60_000);
  t.same(await ended, []);
  t.same(node.writes, ['a1', 'b2', '-b2'], 'and that is all');
});
