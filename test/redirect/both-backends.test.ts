import t from 'tap';
import { atOnce, originals, ours, setup } from './setup.ts';

t.test('removes a stale copy from the other backend, once its own stands', async (t) => {
  const { fake, redirect, logged } = setup({ backend: 'nft' });
  fake.put('legacy', 'nat', ...originals);
  await redirect.raiseGuard();
  t.equal(ours(fake, 'legacy').length, 4, 'the guard alone is no redirect');
  await redirect.redirect();
  t.same(ours(fake, 'legacy'), []);
  t.same(
    fake.applied.map(({ backend, text }) => `${backend} ${text.split('\n')[0]}`),
    ['nft *mangle', 'nft *nat', 'legacy *nat'],
  );
  t.match(logged.at(-1), {
    msg: /stale copy/,
    removed: ['legacy nat: -A PREROUTING -j aad-metadata', /./, /./, /./],
  });
});

t.test('an unusable other backend holds up neither start nor end', async (t) => {
  const { fake, redirect } = setup({ backend: 'legacy' });
  fake.trouble.nft = 'no-kernel-support';
  await redirect.redirect();
  t.match(redirect.state(), { redirect: 'present', why: undefined });
  t.equal((await redirect.withdraw(atOnce)).length, 8);
});

t.test('withdraws from both backends, any number of times, and the keeper puts nothing back', async (t) => {
  const { fake, clock, redirect, keep } = setup();
  await redirect.raiseGuard();
  await redirect.redirect();
  await keep(t);
  fake.put('legacy', 'nat', ...originals);
  const removed = await redirect.withdraw(atOnce);
  t.same(
    removed.map((line) => line.split(':')[0]).filter((line, i, all) => all.indexOf(line) === i),
    ['nft nat', 'legacy nat', 'nft mangle'],
  );
  await clock.advance(60_000);
  t.same([...ours(fake), ...ours(fake, 'legacy')], []);
  t.same(await redirect.withdraw(atOnce), []);
});

t.test('a withdrawal that may have left something says so, and can be tried again', async (t) => {
  const { fake, redirect } = setup();
  await redirect.redirect();
  fake.trouble.nft = 'lock-busy';
  await t.rejects(redirect.withdraw(atOnce), { code: 'iptables-failed' });
  delete fake.trouble.nft;
  t.equal((await redirect.withdraw(atOnce)).length, 8);
});

t.test('takes the jump out, lets requests in flight end, and only then takes the rest', async (t) => {
  const { fake, redirect } = setup();
  await redirect.raiseGuard();
  await redirect.redirect();
  const drain = async (): Promise<void> => {
    t.notMatch(fake.lines('nft', 'nat').join('\n'), /-A PREROUTING/);
    t.match(fake.lines('nft', 'nat').join('\n'), /-A aad-metadata .* -j DNAT/);
    t.match(fake.lines('nft', 'mangle').join('\n'), /-A FORWARD -j aad-metadata-guard/);
  };
  await redirect.withdraw(drain);
  t.same(ours(fake), []);
});
