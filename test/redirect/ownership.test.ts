import t, { type Test } from 'tap';
import type { Answers } from '../../lib/redirect/answers.ts';
import { redirectChain, type Target } from '../../lib/redirect/rules.ts';
import { dnat, originals, rules, setup } from './setup.ts';

type Answer = 'yes' | 'no' | 'unknown';

/** The chain as another agent, or an earlier start of this one, had it. */
const chainOf = (owner: string, port: number): string[] => [
  ':aad-metadata - [0:0]',
  `-A aad-metadata ${redirectChain({ ...rules, owner }, port).rules[0]}`,
];

/** This agent has port 2579 and keeps its redirect, and `answer` is what is found elsewhere. */
async function keeping(t: Test, answer: Answer) {
  const asked: Target[] = [];
  const answers: Answers = async (target) => {
    asked.push(target);
    return answer;
  };
  const parts = setup({ answers, backend: 'nft' });
  await parts.redirect.raiseGuard();
  await parts.redirect.redirect(2579);
  await parts.keep(t);
  const chain = (): string | undefined =>
    parts.fake.lines('nft', 'nat').find((line) => line.startsWith('-A aad-metadata '));
  return { ...parts, asked, chain };
}

t.test('yields to another that answers, tells it once, and puts nothing back', async (t) => {
  const { fake, clock, redirect, asked, logged, repaired } = await keeping(t, 'yes');
  fake.put('nft', 'nat', ...chainOf('b2', 2580));
  fake.applied.length = 0;
  await clock.advance(1_700);
  t.same(asked, [{ ip: '10.0.0.4', port: 2580 }]);
  t.match(redirect.state(), { yielded: true, redirect: 'absent' });
  t.match(logged.at(-1), { msg: 'another agent has taken the redirect' });
  for (const table of ['nat', 'mangle'] as const) fake.flush('nft', table);
  await clock.advance(60_000);
  t.same([fake.applied, repaired], [[], []]);
  t.equal(logged.filter(({ msg }) => /another agent/.test(msg)).length, 1);
});

t.test('takes one that does not answer in time for alive', async (t) => {
  const { fake, clock, redirect } = await keeping(t, 'unknown');
  fake.put('nft', 'nat', ...chainOf('b2', 2580));
  await clock.advance(1_700);
  t.match(redirect.state(), { yielded: true });
});

t.test("repairs a dead one's chain, as a dump brings it back, at once", async (t) => {
  const { fake, clock, redirect, repaired, chain } = await keeping(t, 'no');
  fake.put('nft', 'nat', ...chainOf('dead', 2580));
  await clock.advance(1_700);
  t.equal(chain(), `-A aad-metadata ${dnat}`);
  t.match(redirect.state(), { yielded: false, redirect: 'present' });
  t.same(repaired, ['aad-metadata chain-changed']);
});

t.test("repairs another's chain that leads to its own port, without asking itself", async (t) => {
  const { fake, clock, redirect, asked, chain } = await keeping(t, 'yes');
  fake.put('nft', 'nat', ...chainOf('dead', 2579));
  await clock.advance(1_700);
  t.equal(chain(), `-A aad-metadata ${dnat}`);
  t.match(redirect.state(), { yielded: false });
  t.same(asked, []);
});

t.test('repairs a chain that names nobody, or itself, whoever answers there', async (t) => {
  const lines = [originals.slice(0, 3), chainOf('a1', 2580), [':aad-metadata - [0:0]']];
  for (const chain of lines) {
    const kept = await keeping(t, 'yes');
    kept.fake.put('nft', 'nat', ...chain);
    await kept.clock.advance(1_700);
    t.equal(kept.chain(), `-A aad-metadata ${dnat}`);
    t.match(kept.redirect.state(), { yielded: false });
    t.same(kept.asked, []);
  }
});

t.test('yields to another that answers by way of the other backend', async (t) => {
  const { fake, clock, redirect } = await keeping(t, 'yes');
  fake.put('legacy', 'nat', ...chainOf('b2', 2580), '-A PREROUTING -j aad-metadata');
  fake.flush('nft', 'nat');
  await clock.advance(1_700);
  t.match(redirect.state(), { yielded: true });
  t.match(fake.lines('legacy', 'nat').join(), /pod-identity:b2/);
});

t.test("removes a dead one's copy from the other backend", async (t) => {
  const { fake, clock, redirect, repaired } = await keeping(t, 'no');
  fake.put('legacy', 'nat', ...chainOf('dead', 2580), '-A PREROUTING -j aad-metadata');
  await clock.advance(1_700);
  t.notMatch(fake.lines('legacy', 'nat').join(), /aad-metadata/);
  t.match(redirect.state(), { yielded: false, redirect: 'present' });
  t.same(repaired, ['other backend stale-copy']);
});

t.test('takes over whoever answers when it comes, once its own listener does', async (t) => {
  const { fake, clock, redirect, keep } = setup({ answers: async () => 'yes' });
  fake.put('nft', 'nat', ...chainOf('b2', 2580), '-A PREROUTING -j aad-metadata');
  await redirect.redirect(2579);
  t.match(redirect.state(), { yielded: false, redirect: 'present' });
  await keep(t);
  await clock.advance(10_000);
  t.match(fake.lines('nft', 'nat').join(), /pod-identity:a1/);
  t.equal(fake.applied.filter(({ text }) => text.startsWith('*nat')).length, 1);
});

t.test('a lock that is busy when it comes is no reason to yield later', async (t) => {
  const { fake, clock, redirect, keep } = setup({ answers: async () => 'yes', backend: 'nft' });
  await redirect.raiseGuard();
  fake.put('nft', 'nat', ...chainOf('b2', 2580), '-A PREROUTING -j aad-metadata');
  fake.trouble.nft = 'lock-busy';
  await redirect.redirect(2579);
  delete fake.trouble.nft;
  await keep(t);
  await clock.advance(1_000);
  t.match(redirect.state(), { yielded: false, redirect: 'present' });
});
