import t from 'tap';
import type { BackendName } from '../../lib/redirect/iptables.ts';
import type { FakeIptables } from '../fakes/iptables.ts';
import { dnat, originals, ours, setup } from './setup.ts';

/** What other programs and people do to a node, and as what it is counted. */
interface Damage {
  readonly name: string;
  readonly by: (fake: FakeIptables, backend: BackendName) => void;
  readonly found: readonly string[];
}

const portals = '-m comment --comment "kubernetes service portals" -j KUBE-SERVICES';
const otherThan = (backend: BackendName): BackendName => (backend === 'nft' ? 'legacy' : 'nft');
const inNat =
  (...lines: readonly string[]) =>
  (fake: FakeIptables, backend: BackendName): void =>
    fake.put(backend, 'nat', ...lines);
const rewritten =
  (...lines: readonly string[]) =>
  (fake: FakeIptables, backend: BackendName): void => {
    fake.flush(backend, 'nat');
    fake.put(backend, 'nat', ...lines);
  };
const allGone = ['aad-metadata chain-missing', 'aad-metadata jump-missing'];
const changed = ['aad-metadata chain-changed'];

const damages: readonly Damage[] = [
  { name: 'chain flushed', by: inNat('-F aad-metadata'), found: changed },
  {
    name: 'chain deleted',
    by: inNat('-D PREROUTING -j aad-metadata', '-F aad-metadata', '-X aad-metadata'),
    found: allGone,
  },
  {
    name: 'rule changed',
    by: inNat('-F aad-metadata', `-A aad-metadata ${dnat.replace('10.0.0.4', '10.0.0.9')}`),
    found: changed,
  },
  { name: 'rule put before ours', by: inNat('-I aad-metadata 1 -j RETURN'), found: changed },
  { name: "the original's chain restored over ours", by: inNat(...originals.slice(0, 3)), found: changed },
  {
    name: 'jump deleted',
    by: inNat('-D PREROUTING -j aad-metadata'),
    found: ['aad-metadata jump-missing'],
  },
  { name: 'jump doubled', by: inNat('-A PREROUTING -j aad-metadata'), found: ['aad-metadata jump-changed'] },
  {
    name: 'jump made conditional',
    by: inNat('-I PREROUTING 1 -p udp -j aad-metadata', '-D PREROUTING -j aad-metadata'),
    found: ['aad-metadata jump-changed'],
  },
  {
    name: 'guard removed',
    by: (fake, backend) => fake.flush(backend, 'mangle'),
    found: [
      'aad-metadata-guard chain-missing',
      'aad-metadata-guard jump-missing',
      'aad-metadata-guard jump-missing',
    ],
  },
  {
    name: 'guard flushed, and one of its jumps deleted',
    by: (fake, backend) =>
      fake.put(backend, 'mangle', '-F aad-metadata-guard', '-D INPUT -j aad-metadata-guard'),
    found: ['aad-metadata-guard chain-changed', 'aad-metadata-guard jump-missing'],
  },
  { name: 'nat flushed', by: rewritten(), found: allGone },
  {
    name: 'nat flushed with its chains left',
    by: inNat('-F PREROUTING', '-F aad-metadata'),
    found: [...changed, 'aad-metadata jump-missing'],
  },
  {
    name: 'a saved nat table without us restored',
    by: rewritten(':DOCKER - [0:0]', '-A PREROUTING -p tcp -j DOCKER'),
    found: allGone,
  },
  {
    name: 'firewalld reloaded',
    by: rewritten(
      ':PREROUTING_direct - [0:0]',
      ':PREROUTING_ZONES - [0:0]',
      '-A PREROUTING -j PREROUTING_direct',
      '-A PREROUTING -j PREROUTING_ZONES',
    ),
    found: allGone,
  },
  {
    name: 'kube-proxy started, its jump in front',
    by: inNat(':KUBE-SERVICES - [0:0]', `-I PREROUTING 1 ${portals}`),
    found: ['aad-metadata jump-behind'],
  },
  {
    name: 'an older agent put its chain into the other backend',
    by: (fake, backend) => fake.put(otherThan(backend), 'nat', ...originals),
    found: ['other backend stale-copy'],
  },
  {
    name: 'the guard alone stands in the other backend',
    by: (fake, backend) => fake.put(otherThan(backend), 'mangle', ':aad-metadata-guard - [0:0]'),
    found: ['other backend stale-copy'],
  },
];

for (const [backend, ms] of [
  ['nft', 1_700],
  ['legacy', 5_000],
] as const) {
  for (const { name, by, found } of damages) {
    t.test(`heals within ${ms} ms on ${backend}, counts and tells: ${name}`, async (t) => {
      const { fake, clock, redirect, repaired, logged, keep } = setup({ backend });
      await redirect.raiseGuard();
      await redirect.redirect(2579);
      await keep(t);
      const before = ours(fake, backend);
      logged.length = 0;
      by(fake, backend);
      const foreign = (): string[] =>
        fake.lines(backend, 'nat').filter((line) => !line.includes('aad-metadata'));
      const theirs = foreign();
      await clock.advance(ms);
      t.same(ours(fake, backend), before);
      t.same(ours(fake, otherThan(backend)), []);
      t.same(foreign(), theirs, 'and touches nothing of theirs');
      t.same(repaired, found);
      t.equal(logged.length, 1);
      t.match(logged[0], { level: 'warn', msg: /repaired|removed/ });
      fake.applied.length = 0;
      await clock.advance(60_000);
      t.same([fake.applied, repaired.length], [[], found.length], 'once');
      t.match(redirect.state(), { guard: 'present', redirect: 'present', why: undefined });
    });
  }
}
