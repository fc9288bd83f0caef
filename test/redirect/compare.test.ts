import t from 'tap';
import { type ChainSeen, compare, jumpsTo, removeText, repairText } from '../../lib/redirect/compare.ts';
import { guardPlace, type OwnChain, redirectPlace } from '../../lib/redirect/rules.ts';

const redirect: OwnChain = { ...redirectPlace, rules: ['-p tcp -j DNAT --to-destination 10.0.0.4:2579'] };
const guard: OwnChain = { ...guardPlace, rules: ['-p tcp -j DROP'] };
const whole = ['-N aad-metadata', '-A aad-metadata -p tcp -j DNAT --to-destination 10.0.0.4:2579'];
const originals = [...whole, '-A aad-metadata -j RETURN'];
const jump = '-A PREROUTING -j aad-metadata';
const commented = '-A PREROUTING -m comment --comment "a b" -j aad-metadata';

const cases: { name: string; seen: ChainSeen; differs: unknown[]; moves: string[] }[] = [
  {
    name: 'finds nothing wrong when all stands',
    seen: { lines: whole, jumps: [jump] },
    differs: [],
    moves: [],
  },
  {
    name: 'puts in what is missing altogether',
    seen: { lines: undefined, jumps: [] },
    differs: [{ kind: 'chain-missing' }, { kind: 'jump-missing', hook: 'PREROUTING' }],
    moves: ['-I PREROUTING 1 -j aad-metadata'],
  },
  {
    name: "rewrites the original's chain and keeps its jump",
    seen: { lines: originals, jumps: [jump] },
    differs: [{ kind: 'chain-changed', found: originals }],
    moves: [],
  },
  {
    name: 'takes an emptied chain for a changed one',
    seen: { lines: ['-N aad-metadata'], jumps: [jump] },
    differs: [{ kind: 'chain-changed', found: ['-N aad-metadata'] }],
    moves: [],
  },
  {
    name: 'makes one jump of two',
    seen: { lines: whole, jumps: [jump, jump] },
    differs: [{ kind: 'jump-changed', hook: 'PREROUTING', found: [jump, jump] }],
    moves: [
      '-D PREROUTING -j aad-metadata',
      '-D PREROUTING -j aad-metadata',
      '-I PREROUTING 1 -j aad-metadata',
    ],
  },
  {
    name: 'replaces a jump that somebody made conditional',
    seen: { lines: whole, jumps: [commented] },
    differs: [{ kind: 'jump-changed', hook: 'PREROUTING', found: [commented] }],
    moves: ['-D PREROUTING -m comment --comment "a b" -j aad-metadata', '-I PREROUTING 1 -j aad-metadata'],
  },
];

for (const { name, seen, differs, moves } of cases) {
  t.test(name, async (t) => {
    t.same(compare(redirect, seen), differs);
    const chain = [':aad-metadata - [0:0]', ...whole.slice(1)];
    t.equal(repairText(redirect, seen), ['*nat', ...chain, ...moves, 'COMMIT', ''].join('\n'));
  });
}

t.test('judges each hook of the guard by itself', async (t) => {
  const lines = ['-N aad-metadata-guard', '-A aad-metadata-guard -p tcp -j DROP'];
  const seen = { lines, jumps: ['-A INPUT -j aad-metadata-guard'] };
  t.same(compare(guard, seen), [{ kind: 'jump-missing', hook: 'FORWARD' }]);
  t.match(repairText(guard, seen), /^-I FORWARD 1 -j aad-metadata-guard$/m);
  t.notMatch(repairText(guard, seen), /INPUT/);
});

t.test('knows a jump to a chain from everything that only looks like one', async (t) => {
  const yes = [jump, commented, '-A OUTPUT -g aad-metadata'];
  const no = [
    '-A PREROUTING -j aad-metadata-guard',
    '-A PREROUTING -m comment --comment "-j aad-metadata" -j ACCEPT',
    '-N aad-metadata',
    '-P PREROUTING ACCEPT',
  ];
  t.same(jumpsTo('aad-metadata', [...no, ...yes]), yes);
});

t.test('removes the jumps before the chain, in one text', async (t) => {
  const jumps = [jump, '-A OUTPUT -p tcp -j aad-metadata'];
  t.equal(
    removeText(redirectPlace, { lines: whole, jumps }),
    `*nat
:aad-metadata - [0:0]
-D PREROUTING -j aad-metadata
-D OUTPUT -p tcp -j aad-metadata
-X aad-metadata
COMMIT
`,
  );
});
