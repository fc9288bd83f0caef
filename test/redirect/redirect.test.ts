import t from 'tap';
import { dnat, originals, ours, setup } from './setup.ts';

t.test('raises the guard first, then chain and jump in one step', async (t) => {
  const { fake, redirect, repaired } = setup();
  await redirect.raiseGuard();
  t.match(redirect.state(), { backend: 'nft', guard: 'present', redirect: 'unknown' });
  t.equal(fake.applied.length, 1);
  t.match(fake.applied[0]?.text, /^\*mangle\n/);
  await redirect.redirect(2579);
  t.match(redirect.state(), { guard: 'present', redirect: 'present' });
  t.equal(fake.applied.length, 2);
  t.match(fake.applied[1]?.text, /^\*nat\n/);
  t.same(ours(fake).slice(0, 3), [
    '-N aad-metadata',
    '-A PREROUTING -j aad-metadata',
    `-A aad-metadata ${dnat}`,
  ]);
  t.same(repaired, [], 'the first time is no repair');
});

t.test("takes over the original's chain in one step that never drops its jump", async (t) => {
  const { fake, redirect } = setup();
  fake.put('nft', 'nat', ...originals);
  await redirect.raiseGuard();
  await redirect.redirect(2579);
  const inNat = fake.applied.filter(({ text }) => text.startsWith('*nat'));
  t.equal(inNat.length, 1);
  t.notMatch(inNat[0]?.text, /^-[DI] /m);
  t.same(fake.lines('nft', 'nat').slice(-2), ['-A PREROUTING -j aad-metadata', `-A aad-metadata ${dnat}`]);
});

t.test('chooses among the guards, and leaves nothing of one that is not wanted', async (t) => {
  const { fake, redirect, repaired } = setup({ guard: 'off' });
  for (const backend of ['nft', 'legacy'] as const)
    fake.put(backend, 'mangle', ':aad-metadata-guard - [0:0]', '-A INPUT -j aad-metadata-guard');
  await redirect.raiseGuard();
  await redirect.redirect(2579);
  t.match(redirect.state(), { guard: 'off', redirect: 'present' });
  for (const backend of ['nft', 'legacy'] as const)
    t.notMatch(fake.lines(backend, 'mangle').join(), /aad-metadata/);
  t.same(repaired, []);
});

t.test('an unwanted guard that could not be removed is tried again', async (t) => {
  const { fake, clock, redirect, keep } = setup({ guard: 'off', backend: 'nft' });
  fake.put('nft', 'mangle', ':aad-metadata-guard - [0:0]', '-A INPUT -j aad-metadata-guard');
  fake.onCall = (_, args) => {
    if (args.includes('mangle')) fake.trouble.nft = 'lock-busy';
    else delete fake.trouble.nft;
  };
  await redirect.redirect(2579);
  t.match(redirect.state(), { redirect: 'unknown', why: /lock/ });
  fake.onCall = () => undefined;
  delete fake.trouble.nft;
  await keep(t);
  await clock.advance(1_700);
  t.same(redirect.state(), { guard: 'off', redirect: 'present', yielded: false, backend: 'nft' });
  t.notMatch(fake.lines('nft', 'mangle').join(), /aad-metadata/);
});

t.test('changes nothing when all of it stands from before', async (t) => {
  const first = setup();
  await first.redirect.redirect(2579);
  first.fake.applied.length = 0;
  const { redirect } = setup({ exec: first.fake.exec, readFile: first.fake.readFile });
  await redirect.raiseGuard();
  await redirect.redirect(2579);
  t.same(first.fake.applied, []);
  t.match(redirect.state(), { guard: 'present', redirect: 'present' });
});

t.test('where iptables is of no use it says so once as an error, and goes on trying', async (t) => {
  const { fake, clock, redirect, logged, keep } = setup();
  fake.trouble.nft = 'not-root';
  fake.trouble.legacy = 'not-installed';
  await redirect.raiseGuard();
  t.match(redirect.state(), {
    guard: 'unknown',
    redirect: 'unknown',
    backend: undefined,
    why: /must be root/,
  });
  await redirect.redirect(2579);
  await keep(t);
  await clock.advance(10_000);
  const errors = logged.filter(({ level }) => level === 'error');
  t.match(errors, [{ msg: 'pods cannot be redirected', why: /found "iptables-nft: .*; needed: / }]);
  t.equal(errors.length, 1);
  delete fake.trouble.nft;
  await clock.advance(1_000);
  t.match(redirect.state(), { guard: 'present', redirect: 'present', backend: 'nft', why: undefined });
  t.match(logged.at(-1), { msg: 'iptables answers again' });
});

t.test('a guard that cannot be raised is no reason to leave the redirect alone', async (t) => {
  const { fake, redirect } = setup();
  await redirect.raiseGuard();
  fake.onCall = (_, args) => {
    if (args.includes('mangle')) fake.trouble.nft = 'lock-busy';
    else delete fake.trouble.nft;
  };
  await redirect.redirect(2579);
  t.match(redirect.state(), { guard: 'unknown', redirect: 'present', why: /unavailable/ });
});

t.test('a redirect that cannot be read is no reason to leave the guard alone', async (t) => {
  const { fake, redirect } = setup();
  await redirect.raiseGuard();
  fake.flush('nft', 'mangle');
  fake.onCall = (_, args) => {
    if (args.includes('nat')) fake.trouble.nft = 'lock-busy';
    else delete fake.trouble.nft;
  };
  await redirect.redirect(2579);
  t.match(redirect.state(), { guard: 'present', redirect: 'unknown', why: /unavailable/ });
});
