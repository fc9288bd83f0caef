import t from 'tap';
import { chainLines, guardChain, redirectChain } from '../../lib/redirect/rules.ts';
import { atOnce, ours, rules, setup } from './setup.ts';

const open = chainLines(guardChain(rules));
const closed = chainLines(guardChain(rules, { closed: true }));
const guardOf = (lines: readonly string[]): string[] =>
  lines.filter((line) => /^-[NA] aad-metadata-guard/.test(line));
const taken = [
  ':aad-metadata - [0:0]',
  `-A aad-metadata ${redirectChain({ ...rules, owner: 'b2' }, 2580).rules[0]}`,
];

t.test('leaves all standing, and closes the guard before it drains', async (t) => {
  const { fake, clock, redirect, keep } = setup();
  await redirect.raiseGuard();
  await redirect.redirect(2579);
  await keep(t);
  const redirected = ours(fake).slice(0, 3);
  let drained = false;
  await redirect.leaveStanding(async () => {
    t.same(guardOf(ours(fake)), closed);
    drained = true;
  });
  t.ok(drained);
  await clock.advance(60_000);
  t.same(guardOf(ours(fake)), closed, 'and the keeper opens nothing');
  t.same(ours(fake).slice(0, 3), redirected);
});

t.test('the next agent opens the guard once its listener answers, not before', async (t) => {
  const first = setup();
  await first.redirect.redirect(2579);
  await first.redirect.leaveStanding(atOnce);
  const { fake } = first;
  const next = setup({ exec: fake.exec, readFile: fake.readFile });
  await next.redirect.raiseGuard();
  t.same(guardOf(ours(fake)), closed);
  t.match(next.redirect.state(), { guard: 'present' });
  await next.redirect.redirect(2580);
  t.same(guardOf(ours(fake)), open);
});

t.test('does not close the guard of another that has the redirect', async (t) => {
  const { fake, redirect } = setup({ answers: async () => 'yes' });
  await redirect.redirect(2579);
  fake.put('nft', 'nat', ...taken);
  await redirect.leaveStanding(atOnce);
  t.same(guardOf(ours(fake)), open);
});

t.test('drains also when the guard cannot be closed', async (t) => {
  const { fake, redirect } = setup();
  await redirect.redirect(2579);
  fake.trouble.nft = 'lock-busy';
  let drained = false;
  await redirect.leaveStanding(async () => {
    drained = true;
  });
  t.ok(drained);
});
