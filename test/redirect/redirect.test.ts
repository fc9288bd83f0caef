import t from 'tap';
import type { RedirectOptions } from '../../lib/redirect/redirect.ts';
import { dnat, originals, ours, setup } from './setup.ts';

t.test('raises the guard first, then chain and jump in one step', async (t) => {
  const { fake, redirect, repaired } = setup();
  await redirect.raiseGuard();
  t.match(redirect.state(), { backend: 'nft', guard: 'present', redirect: 'unknown' });
  t.equal(fake.applied.length, 1);
  t.match(fake.applied[0]?.text, /^\*mangle\n/);
  await redirect.redirect();
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
  await redirect.redirect();
  const inNat = fake.applied.filter(({ text }) => text.startsWith('*nat'));
  t.equal(inNat.length, 1);
  t.notMatch(inNat[0]?.text, /^-[DI] /m);
  t.same(fake.lines('nft', 'nat').slice(-2), ['-A PREROUTING -j aad-metadata', `-A aad-metadata ${dnat}`]);
});

t.test('changes nothing when all of it stands from before', async (t) => {
  const first = setup();
  await first.redirect.redirect();
  first.fake.applied.length = 0;
  const { redirect } = setup({ exec: first.fake.exec, readFile: first.fake.readFile });
  await redirect.raiseGuard();
  await redirect.redirect();
  t.same(first.fake.applied, []);
  t.match(redirect.state(), { guard: 'present', redirect: 'present' });
});

t.test('ends at once, with the reason, where no trying will help', async (t) => {
  const { fake, redirect } = setup();
  fake.trouble.nft = 'not-root';
  fake.trouble.legacy = 'not-installed';
  await t.rejects(redirect.raiseGuard(), { code: 'iptables-unusable', message: /must be root/ });
});

t.test('a guard that cannot be raised is no reason to leave the redirect alone', async (t) => {
  const { fake, redirect } = setup();
  const exec: RedirectOptions['exec'] = async (file, args, options) =>
    args.includes('mangle') && args.includes('FORWARD')
      ? { code: 4, stdout: '', stderr: 'Resource temporarily unavailable' }
      : fake.exec(file, args, options);
  const hindered = setup({ exec, readFile: fake.readFile });
  await hindered.redirect.redirect();
  t.match(hindered.redirect.state(), { guard: 'unknown', redirect: 'present' });
  await redirect.redirect();
  t.match(redirect.state(), { guard: 'present', redirect: 'present' });
});
