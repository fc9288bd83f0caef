import t, { type Test } from 'tap';
import { redirectChain } from '../../lib/redirect/rules.ts';
import { rules, setup } from './setup.ts';

type Answer = 'yes' | 'no' | 'unknown';

const chainOf = (owner: string): string[] => [
  ':aad-metadata - [0:0]',
  `-A aad-metadata ${redirectChain({ ...rules, owner }, 2580).rules[0]}`,
  '-A PREROUTING -j aad-metadata',
];

/** An agent that stands by while the redirect leads to another, which answers as it is told. */
async function standingBy(t: Test) {
  const other: { answer: Answer } = { answer: 'yes' };
  const parts = setup({ answers: async () => other.answer, backend: 'nft' });
  parts.fake.put('nft', 'nat', ...chainOf('b2'));
  const stop = new AbortController();
  const seen = { ended: false };
  const waiting = parts.redirect.standBy(stop.signal).then(() => {
    seen.ended = true;
  });
  t.teardown(async () => {
    stop.abort();
    await waiting;
  });
  await parts.clock.advance(10_000);
  t.equal(seen.ended, false);
  return { ...parts, other, seen, stop };
}

t.test('ends after two looks in a row that found nobody, and changes nothing', async (t) => {
  const { clock, other, seen, fake } = await standingBy(t);
  other.answer = 'no';
  await clock.advance(1_700);
  t.equal(seen.ended, false);
  other.answer = 'yes';
  await clock.advance(1_700);
  other.answer = 'no';
  await clock.advance(1_700);
  t.equal(seen.ended, false, 'in a row');
  await clock.advance(1_700);
  t.equal(seen.ended, true);
  t.same(fake.applied, []);
});

t.test('takes no answer in time for no proof of death', async (t) => {
  const { clock, other, seen } = await standingBy(t);
  other.answer = 'unknown';
  await clock.advance(60_000);
  t.equal(seen.ended, false);
});

t.test('ends when the redirect is gone, or is its own again, whoever answers', async (t) => {
  for (const own of [false, true]) {
    const { clock, seen, fake } = await standingBy(t);
    fake.flush('nft', 'nat');
    if (own) fake.put('nft', 'nat', ...chainOf('a1'));
    await clock.advance(3_000);
    t.equal(seen.ended, true);
  }
});

t.test('goes on while the redirect stands in the other backend', async (t) => {
  const { clock, seen, fake } = await standingBy(t);
  fake.put('legacy', 'nat', ...chainOf('b2'));
  fake.flush('nft', 'nat');
  await clock.advance(60_000);
  t.equal(seen.ended, false);
});

t.test('a look that fails tells nothing', async (t) => {
  const { clock, seen, fake, redirect } = await standingBy(t);
  fake.trouble.nft = 'lock-busy';
  await clock.advance(20_000);
  t.equal(seen.ended, false);
  t.match(redirect.state(), { why: /lock/ });
  delete fake.trouble.nft;
  await clock.advance(1_700);
  t.match(redirect.state(), { why: undefined });
});

t.test('ends when it is told to', async (t) => {
  const { clock, seen, stop } = await standingBy(t);
  stop.abort();
  await clock.advance(0);
  t.equal(seen.ended, true);
});

t.test('tells whether another serves, for the one that has this port', async (t) => {
  const { redirect, fake, other } = await standingBy(t);
  t.equal(await redirect.isServedByAnother(2579), true);
  t.equal(await redirect.isServedByAnother(2580), false, 'nobody else can have our port');
  other.answer = 'unknown';
  t.equal(await redirect.isServedByAnother(2579), false);
  other.answer = 'yes';
  fake.trouble.nft = 'lock-busy';
  t.equal(await redirect.isServedByAnother(2579), false, 'nor is what cannot be read');
});
