import t from 'tap';
import { originals, ours, setup } from './setup.ts';

t.test(
  'puts back a flushed table after 1.7 s on nft and 5 s on legacy, and says what it found',
  async (t) => {
    for (const [backend, ms] of [
      ['nft', 1_700],
      ['legacy', 5_000],
    ] as const) {
      const { fake, clock, redirect, logged, keep } = setup({ backend });
      await redirect.redirect(2579);
      await keep(t);
      for (const table of ['nat', 'mangle'] as const) {
        const before = ours(fake, backend);
        fake.flush(backend, table);
        await clock.advance(ms - 1);
        t.not(ours(fake, backend).length, before.length, `${backend} not sooner`);
        await clock.advance(1);
        t.same(ours(fake, backend), before, `${backend} ${table}`);
      }
      const told = logged.filter(({ msg }) => msg === 'iptables rules repaired');
      t.match(told[0], {
        chain: 'aad-metadata',
        differences: [{ kind: 'chain-missing' }, { kind: 'jump-missing', hook: 'PREROUTING' }],
      });
    }
  },
);

t.test('looks more often when asked to, never less', async (t) => {
  for (const [updateSeconds, ms] of [
    [1, 1_000],
    [60, 1_700],
  ] as const) {
    const { fake, clock, redirect, repaired, keep } = setup({ updateSeconds });
    await redirect.redirect(2579);
    await keep(t);
    fake.flush('nft', 'nat');
    await clock.advance(ms - 1);
    t.same(repaired, []);
    await clock.advance(1);
    t.same(repaired, ['aad-metadata chain-missing', 'aad-metadata jump-missing']);
  }
});

t.test('changes nothing while it cannot tell, says so once, and recovers', async (t) => {
  for (const trouble of ['lock-busy', 'hangs', 'not-root', 'not-installed'] as const) {
    const { fake, clock, redirect, logged, repaired, keep } = setup();
    await redirect.redirect(2579);
    await keep(t);
    fake.applied.length = 0;
    fake.trouble.nft = trouble;
    await clock.advance(30_000);
    t.match(redirect.state(), { guard: 'unknown', redirect: 'unknown', why: /./ }, trouble);
    t.same(fake.applied, [], trouble);
    t.equal(logged.filter(({ msg }) => /will retry/.test(msg)).length, 1);
    delete fake.trouble.nft;
    await clock.advance(1_000);
    t.match(redirect.state(), { guard: 'present', redirect: 'present', why: undefined }, trouble);
    t.same(repaired, []);
  }
});

t.test('misjudges nothing while the lock is held for 10 s, and heals at once when it is free', async (t) => {
  const { fake, clock, redirect, logged, repaired, keep } = setup({ backend: 'legacy' });
  await redirect.redirect(2579);
  await keep(t);
  fake.flush('legacy', 'nat');
  fake.applied.length = 0;
  fake.trouble.legacy = 'lock-busy';
  await clock.advance(10_000);
  t.same([fake.applied, repaired], [[], []]);
  t.match(redirect.state(), { guard: 'unknown', redirect: 'unknown', why: /lock/ });
  t.equal(logged.filter(({ level }) => level !== 'info').length, 1);
  delete fake.trouble.legacy;
  await clock.advance(1_000);
  t.match(redirect.state(), { guard: 'present', redirect: 'present', why: undefined });
  t.same(repaired, ['aad-metadata chain-missing', 'aad-metadata jump-missing']);
});

t.test('changes nothing when the lock becomes busy in the middle of a look', async (t) => {
  const { fake, clock, redirect, keep } = setup();
  const many = Array.from({ length: 600 }, () => '-A theirs -p udp -j RETURN');
  for (const table of ['nat', 'mangle'] as const) fake.put('nft', table, ':theirs - [0:0]', ...many);
  await redirect.redirect(2579);
  await keep(t);
  fake.applied.length = 0;
  fake.onCall = (backend, args) => {
    if (args.at(-1)?.startsWith('aad-metadata')) fake.trouble[backend] = 'lock-busy';
    else delete fake.trouble[backend];
  };
  await clock.advance(10_000);
  t.match(redirect.state(), { guard: 'unknown', redirect: 'unknown' });
  t.same(fake.applied, []);
});

t.test('a lock that is busy at start ends nothing; the keeper brings the rules in later', async (t) => {
  const { fake, clock, redirect, keep } = setup({ backend: 'legacy' });
  fake.put('legacy', 'nat', '-A PREROUTING -p tcp -j ACCEPT');
  fake.trouble.legacy = 'lock-busy';
  await redirect.raiseGuard();
  await redirect.redirect(2579);
  t.match(redirect.state(), { backend: undefined, redirect: 'unknown', why: /lock/ });
  await keep(t);
  delete fake.trouble.legacy;
  await clock.advance(1_000);
  t.match(redirect.state(), { backend: 'legacy', guard: 'present', redirect: 'present' });
});

t.test(
  'a change that comes between look and restore spoils nothing, and is mended at the next look',
  async (t) => {
    const { fake, clock, redirect, keep } = setup();
    fake.put('nft', 'nat', ...originals, '-A PREROUTING -j aad-metadata');
    fake.onCall = (_, args) => {
      if (args[0] !== '--noflush' || args.includes('--test') || !ours(fake).includes('-N aad-metadata-guard'))
        return;
      fake.onCall = () => undefined;
      fake.put('nft', 'nat', '-D PREROUTING -j aad-metadata');
    };
    await redirect.redirect(2579);
    t.match(redirect.state(), { redirect: 'absent', why: /Bad rule/ });
    await keep(t);
    await clock.advance(0);
    t.match(redirect.state(), { redirect: 'present' });
    t.same(
      fake.lines('nft', 'nat').filter((line) => line.startsWith('-A PREROUTING')),
      ['-A PREROUTING -j aad-metadata'],
    );
  },
);
