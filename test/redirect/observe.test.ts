import t from 'tap';
import { createIptables } from '../../lib/redirect/iptables.ts';
import { Observer, observeAll } from '../../lib/redirect/observe.ts';
import { guardPlace, redirectPlace } from '../../lib/redirect/rules.ts';
import { FakeIptables } from '../fakes/iptables.ts';

const rule = '-A aad-metadata -p tcp -j RETURN';
const jump = '-A PREROUTING -j aad-metadata';
const portals = '-A PREROUTING -j KUBE-SERVICES';
const elsewhere = '-A OUTPUT -p tcp -j aad-metadata';
/** As it is found hook by hook. */
const seen = { lines: ['-N aad-metadata', rule], jumps: [jump], front: { PREROUTING: [portals] } };

/** Our chain in nat, behind a rule of kube-proxy, with one jump from where ours never is. */
function standing(more: readonly string[] = []) {
  const fake = new FakeIptables();
  const chains = [':KUBE-SERVICES - [0:0]', ':aad-metadata - [0:0]'];
  fake.put('nft', 'nat', ...chains, rule, portals, jump, elsewhere, ...more);
  /** What was asked: a chain, or the whole table. */
  const asked: string[] = [];
  fake.onCall = (_, args) => void asked.push(args.slice(5).join() || 'all');
  const iptables = createIptables(fake.exec, 'nft');
  const observer = new Observer();
  return { fake, asked, iptables, look: () => observer.observe(iptables, redirectPlace) };
}
const many = Array.from(
  { length: 600 },
  (_, i) => `-A KUBE-SERVICES -d 10.0.${i >> 8}.${i & 255}/32 -j RETURN`,
);

t.test('asks once for a small table', async (t) => {
  const { asked, look } = standing();
  for (let i = 0; i < 3; i++)
    t.same(await look(), { kind: 'seen', seen: { ...seen, jumps: [jump, elsewhere] } });
  t.same(asked, ['all', 'all', 'all']);
});

t.test('asks for our chain and its hooks alone once a table was found large', async (t) => {
  const { asked, look } = standing(many);
  t.same(await look(), { kind: 'seen', seen: { ...seen, jumps: [jump, elsewhere] } });
  t.same(await look(), { kind: 'seen', seen });
  t.same(asked, ['all', 'aad-metadata', 'PREROUTING']);
});

t.test("asks chain by chain, and the whole only once, where another's rules cannot be printed", async (t) => {
  const { fake, asked, look } = standing();
  fake.trouble.nft = 'native-rules';
  t.same(await look(), { kind: 'seen', seen });
  t.same(await look(), { kind: 'seen', seen });
  t.same(asked, ['all', 'aad-metadata', 'PREROUTING', 'aad-metadata', 'PREROUTING']);
});

t.test('finds nothing where there is nothing', async (t) => {
  for (const trouble of [undefined, 'native-rules'] as const) {
    const fake = new FakeIptables();
    if (trouble) fake.trouble.nft = trouble;
    t.same(await new Observer().observe(createIptables(fake.exec, 'nft'), guardPlace), {
      kind: 'seen',
      seen: { lines: undefined, jumps: [], front: { FORWARD: [], INPUT: [] } },
    });
  }
});

t.test('cannot tell as soon as one answer is missing', async (t) => {
  for (const missed of ['all', 'aad-metadata', 'PREROUTING']) {
    const { fake, asked, look } = standing(many);
    if (missed !== 'all') await look();
    fake.onCall = (_, args) => {
      asked.push(args.slice(5).join() || 'all');
      if (asked.at(-1) === missed) fake.trouble.nft = 'lock-busy';
      else delete fake.trouble.nft;
    };
    t.match(await look(), { kind: 'unknown', passing: true, why: /lock/ }, missed);
  }
});

t.test(
  'behind a lock of legacy that is busy nothing more is asked, which would wait as long again',
  async (t) => {
    for (const [backend, count] of [
      ['legacy', 1],
      ['nft', 3],
    ] as const) {
      const fake = new FakeIptables();
      fake.put(backend, 'mangle', ...many.map((rule) => rule.replace('KUBE-SERVICES', 'PREROUTING')));
      const [iptables, observer] = [createIptables(fake.exec, backend), new Observer()];
      await observer.observe(iptables, guardPlace);
      let calls = 0;
      fake.onCall = () => void calls++;
      fake.trouble[backend] = 'lock-busy';
      t.match(await observer.observe(iptables, guardPlace), { kind: 'unknown', passing: true }, backend);
      t.equal(calls, count, backend);
    }
  },
);

t.test('takes nothing for in front when the jump is not there, nor what stands behind it', async (t) => {
  const { fake, look } = standing();
  fake.put('nft', 'nat', '-A PREROUTING -p tcp -j ACCEPT');
  t.same(await look(), { kind: 'seen', seen: { ...seen, jumps: [jump, elsewhere] } });
  fake.put('nft', 'nat', '-D PREROUTING -j aad-metadata');
  t.match(await look(), { kind: 'seen', seen: { jumps: [elsewhere], front: { PREROUTING: [] } } });
});

t.test('to remove, looks for jumps from everywhere, as far as the table can be printed', async (t) => {
  const { fake, iptables } = standing(many);
  t.match(await observeAll(iptables, redirectPlace), { jumps: [jump, elsewhere] });
  fake.trouble.nft = 'native-rules';
  t.match(await observeAll(iptables, redirectPlace), { jumps: [jump] });
  fake.trouble.nft = 'lock-busy';
  t.match(await observeAll(iptables, redirectPlace), { kind: 'unknown' });
});
