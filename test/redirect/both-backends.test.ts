import t from 'tap';
import { atOnce, dnat, originals, ours, setup } from './setup.ts';

t.test('removes a stale copy from the other backend, once its own stands', async (t) => {
  const { fake, redirect, logged } = setup({ backend: 'nft' });
  fake.put('legacy', 'nat', ...originals);
  await redirect.raiseGuard();
  t.equal(ours(fake, 'legacy').length, 4, 'the guard alone is no redirect');
  await redirect.redirect(2579);
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
  await redirect.redirect(2579);
  t.match(redirect.state(), { redirect: 'present', why: undefined });
  t.equal((await redirect.withdraw(atOnce)).length, 12);
});

t.test('an unusable other backend is told once, and not asked again', async (t) => {
  const { fake, clock, redirect, logged, keep } = setup({ backend: 'legacy' });
  fake.trouble.nft = 'no-kernel-support';
  await redirect.redirect(2579);
  await keep(t);
  let asked = 0;
  fake.onCall = (backend) => void (backend === 'nft' && asked++);
  await clock.advance(60_000);
  t.equal(asked, 0);
  t.equal(logged.filter(({ msg }) => /could not be searched/.test(msg)).length, 1);
});

t.test('another backend that is busy is searched as soon as it can be, and spoils nothing', async (t) => {
  const { fake, clock, redirect, keep } = setup({ backend: 'nft' });
  await redirect.redirect(2579);
  await keep(t);
  fake.put('legacy', 'nat', ...originals);
  fake.trouble.legacy = 'lock-busy';
  await clock.advance(1_700);
  t.match(redirect.state(), { guard: 'present', redirect: 'present', why: /lock/ });
  fake.flush('nft', 'nat');
  await clock.advance(1_700);
  t.match(fake.lines('nft', 'nat').join(), /-j DNAT/, 'ours heals meanwhile');
  delete fake.trouble.legacy;
  await clock.advance(1_700);
  t.same(ours(fake, 'legacy'), []);
  t.match(redirect.state(), { why: undefined });
});

t.test("a copy that becomes a living successor's before it is removed is left alone", async (t) => {
  const { fake, clock, redirect, keep } = setup({ backend: 'nft', answers: async () => 'yes' });
  await redirect.redirect(2579);
  await keep(t);
  fake.put('legacy', 'nat', ...originals);
  fake.onCall = (backend, args) => {
    if (backend !== 'legacy' || args.at(-1) !== '-S') return;
    fake.onCall = () => undefined;
    const taken = dnat.replace(':a1', ':b2').replace(':2579', ':2580');
    fake.put('legacy', 'nat', ':aad-metadata - [0:0]', `-A aad-metadata ${taken}`);
  };
  await clock.advance(10_000);
  t.match(fake.lines('legacy', 'nat').join(), /pod-identity:b2/);
  t.match(redirect.state(), { yielded: true });
});

t.test('withdraws from both backends, any number of times, and the keeper puts nothing back', async (t) => {
  const { fake, clock, redirect, keep } = setup();
  await redirect.raiseGuard();
  await redirect.redirect(2579);
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
  await redirect.redirect(2579);
  fake.trouble.nft = 'lock-busy';
  await t.rejects(redirect.withdraw(atOnce), { code: 'iptables-failed' });
  delete fake.trouble.nft;
  t.equal((await redirect.withdraw(atOnce)).length, 12);
});

t.test('takes the jump out, lets requests in flight end, and only then takes the rest', async (t) => {
  const { fake, redirect } = setup();
  await redirect.raiseGuard();
  await redirect.redirect(2579);
  const drain = async (): Promise<void> => {
    t.notMatch(fake.lines('nft', 'nat').join('\n'), /-A PREROUTING/);
    t.match(fake.lines('nft', 'nat').join('\n'), /-A aad-metadata .* -j DNAT/);
    t.match(fake.lines('nft', 'mangle').join('\n'), /-A FORWARD -j aad-metadata-guard/);
  };
  await redirect.withdraw(drain);
  t.same(ours(fake), []);
});
