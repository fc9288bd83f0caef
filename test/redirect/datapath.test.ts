import t from 'tap';
import { readDatapath } from '../../lib/redirect/datapath.ts';
import { createIptables, type Iptables, type Listed } from '../../lib/redirect/iptables.ts';
import { FakeIptables } from '../fakes/iptables.ts';

const plain = ['lo', 'eth0', 'cbr0', 'veth10'];
const cilium = ['lo', 'eth0', 'cilium_net', 'cilium_host', 'lxc0123456789ab'];
const masquerade = [
  ':CILIUM_POST_nat - [0:0]',
  '-A CILIUM_POST_nat -s 10.0.0.0/24 ! -d 10.0.0.0/24 ! -o cilium_+ -m comment --comment "cilium masquerade non-cluster" -j MASQUERADE',
];
const services = [
  ':KUBE-SERVICES - [0:0]',
  '-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports" -j KUBE-NODEPORTS',
];
/** What Cilium has in nat when it masquerades by eBPF. */
const hostOnly = [
  ':CILIUM_POST_nat - [0:0]',
  '-A CILIUM_POST_nat -s 127.0.0.1/32 -o cilium_host -m comment --comment "cilium host->cluster from 127.0.0.1 masquerade" -j SNAT --to-source 10.0.0.96',
];

/** A backend whose nat table has these lines. */
function nat(lines: readonly string[]): Pick<Iptables, 'list'> {
  return {
    list: async (table, chain = ''): Promise<Listed> => {
      if (table !== 'nat' || !lines.includes(`:${chain} - [0:0]`)) return { kind: 'no-chain' };
      return { kind: 'lines', lines: [`-N ${chain}`, ...lines.filter((l) => l.startsWith(`-A ${chain} `))] };
    },
  };
}

const cases: Readonly<Record<string, readonly [names: readonly string[], nat: readonly string[], object]>> = {
  'a node without Cilium': [plain, [], { kind: 'netfilter' }],
  'a pod interface of another with a name like it': [
    ['lo', 'cilium', 'cilium_hosts'],
    [],
    { kind: 'netfilter' },
  ],
  'Cilium beside kube-proxy': [cilium, services, { kind: 'netfilter' }],
  'Cilium that masquerades by iptables': [cilium, masquerade, { kind: 'netfilter' }],
  'Cilium and an empty chain of kube-proxy': [cilium, services.slice(0, 1), { kind: 'bypass' }],
  'Cilium that masquerades by eBPF': [cilium, hostOnly, { kind: 'bypass' }],
  'Cilium and nothing else': [
    ['cilium_vxlan'],
    [],
    { kind: 'bypass', why: /cilium_vxlan.*hostLegacyRouting/ },
  ],
};

for (const [what, [names, lines, expected]] of Object.entries(cases)) {
  t.test(`${what}: ${Object.values(expected)[0]}`, async (t) => {
    const found = await readDatapath({
      uplink: async () => undefined,
      interfaces: async () => names,
      iptables: () => nat(lines),
    });
    t.match(found, expected);
  });
}

t.test('the suspicion is one line that names what was found and the cure', async (t) => {
  const found = await readDatapath({
    uplink: async () => undefined,
    interfaces: async () => cilium,
    iptables: () => nat([]),
  });
  const why = 'why' in found ? found.why : '';
  t.notMatch(why, /\n/);
  for (const named of [
    'Cilium',
    'cilium_net',
    'kube-proxy',
    'bpf.hostLegacyRouting',
    'CiliumLocalRedirectPolicy',
  ])
    t.ok(why.includes(named), named);
});

t.test(
  'nothing is concluded from a lock that is busy, a missing backend, or unreadable interfaces',
  async (t) => {
    const fake = new FakeIptables();
    fake.trouble.nft = 'lock-busy';
    const iptables = createIptables(fake.exec, 'nft');
    t.match(
      await readDatapath({
        uplink: async () => undefined,
        interfaces: async () => cilium,
        iptables: () => iptables,
      }),
      {
        kind: 'unknown',
      },
    );
    t.match(
      await readDatapath({
        uplink: async () => undefined,
        interfaces: async () => cilium,
        iptables: () => undefined,
      }),
      {
        kind: 'unknown',
      },
    );
    const unreadable = async (): Promise<string[]> => {
      throw new Error('EACCES');
    };
    const found = await readDatapath({
      uplink: async () => undefined,
      interfaces: unreadable,
      iptables: () => iptables,
    });
    t.same(found, { kind: 'unknown', why: 'EACCES' });
  },
);

t.test('a chain that was never made is no trouble', async (t) => {
  const fake = new FakeIptables();
  const iptables = createIptables(fake.exec, 'nft');
  t.match(
    await readDatapath({
      uplink: async () => undefined,
      interfaces: async () => cilium,
      iptables: () => iptables,
    }),
    { kind: 'bypass' },
  );
});

t.test('an uplink on a bridge past iptables is told with its cure', async (t) => {
  const found = await readDatapath({
    interfaces: async () => ['azure0'],
    uplink: async () => 'azure0',
    iptables: () => nat([]),
  });
  t.match(found, { kind: 'bypass', why: /azure0.*bridge-nf-call-iptables to 1/ });
});
