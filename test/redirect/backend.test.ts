import t from 'tap';
import {
  askableTables,
  type BackendFacts,
  chooseBackend,
  decideBackend,
} from '../../lib/redirect/backend.ts';
import { guardChain, redirectChain } from '../../lib/redirect/rules.ts';
import { FakeIptables, type Trouble } from '../fakes/iptables.ts';
import { rules } from './setup.ts';

const chains = [guardChain(rules), redirectChain(rules, 2579)];
const choose = (fake: FakeIptables, choice: 'auto' | 'nft' | 'legacy' = 'auto') =>
  chooseBackend({ exec: fake.exec, readFile: fake.readFile, choice, chains });

const empty: BackendFacts = { usable: true, kube: false, rules: 0 };
const ruled: BackendFacts = { usable: true, kube: false, rules: 3 };
const kube: BackendFacts = { usable: true, kube: true, rules: 3 };
const missing: BackendFacts = { usable: false, why: 'not installed' };

t.test('decides from what was found', async (t) => {
  const cases = [
    ['auto', empty, empty, 'nft', 'neither holds rules'],
    ['auto', empty, ruled, 'legacy', 'it holds rules'],
    ['auto', ruled, ruled, 'nft', 'it holds rules'],
    ['auto', ruled, kube, 'legacy', 'it holds the chains of kubelet or kube-proxy'],
    ['auto', kube, kube, 'nft', 'it holds the chains of kubelet or kube-proxy'],
    ['auto', missing, empty, 'legacy', 'the other is not usable'],
    ['nft', empty, kube, 'nft', 'it was asked for'],
    ['legacy', kube, empty, 'legacy', 'it was asked for'],
  ] as const;
  for (const [choice, nft, legacy, backend, why] of cases) {
    t.same(decideBackend(choice, { nft, legacy }), { backend, why });
  }
});

t.test('refuses rather than takes another backend than the one asked for', async (t) => {
  t.same(decideBackend('nft', { nft: missing, legacy: kube }), { refused: 'not installed' });
  t.same(decideBackend('auto', { nft: missing, legacy: missing }), {
    refused: 'not installed; not installed',
  });
});

t.test("follows kubelet's chains, not the number of rules", async (t) => {
  const fake = new FakeIptables();
  fake.put('nft', 'nat', '-A PREROUTING -p tcp -j ACCEPT', '-A POSTROUTING -p tcp -j ACCEPT');
  fake.put('legacy', 'mangle', ':KUBE-IPTABLES-HINT - [0:0]');
  t.equal((await choose(fake)).iptables.backend, 'legacy');
});

t.test('does not count rules of our own', async (t) => {
  const fake = new FakeIptables();
  fake.put(
    'legacy',
    'nat',
    ':aad-metadata - [0:0]',
    '-A aad-metadata -j RETURN',
    '-A PREROUTING -j aad-metadata',
  );
  t.equal((await choose(fake)).iptables.backend, 'nft');
});

t.test('asks legacy only about tables that the kernel lists', async (t) => {
  const fake = new FakeIptables();
  const asked: string[] = [];
  fake.onCall = (backend, args) => void (backend === 'legacy' && asked.push(args.join(' ')));
  await choose(fake);
  t.same(asked, ['--version']);
  t.same(await fake.readFile('/proc/net/ip_tables_names'), '');
  fake.put('legacy', 'nat', '-A PREROUTING -p tcp -j ACCEPT');
  t.same([...(await askableTables('legacy', fake.readFile))], ['nat']);
});

t.test('takes a kernel without legacy iptables for one without legacy tables', async (t) => {
  const gone = () => Promise.reject(Object.assign(new Error('no such file'), { code: 'ENOENT' }));
  t.equal((await askableTables('legacy', gone)).size, 0);
  const denied = () => Promise.reject(Object.assign(new Error('permission denied'), { code: 'EACCES' }));
  await t.rejects(askableTables('legacy', denied), { code: 'iptables-unusable' });
});

t.test('refuses for good, and says what was found and what is needed', async (t) => {
  const cases: [Trouble, RegExp][] = [
    ['not-installed', /found "iptables-nft is not installed"; needed: /],
    ['not-root', /must be root/],
    ['no-kernel-support', /Protocol not supported/],
    ['no-conntrack-match', /Couldn't load match `conntrack'/],
  ];
  for (const [trouble, message] of cases) {
    const fake = new FakeIptables();
    fake.trouble.nft = trouble;
    await t.rejects(choose(fake, 'nft'), { code: 'iptables-unusable', message }, trouble);
  }
});

t.test('puts the choice off while the lock is busy, lest it takes the wrong one', async (t) => {
  for (const trouble of ['lock-busy', 'hangs'] as const) {
    const fake = new FakeIptables();
    fake.put('legacy', 'nat', ':KUBE-KUBELET-CANARY - [0:0]');
    fake.trouble.legacy = trouble;
    await t.rejects(choose(fake), { code: 'iptables-failed' }, trouble);
  }
});

t.test('tries the rules dry and leaves nothing behind', async (t) => {
  const fake = new FakeIptables();
  await choose(fake);
  t.same(fake.applied, []);
  t.notMatch(fake.lines('nft', 'nat').join('\n'), /aad-metadata/);
});
