import t from 'tap';
import {
  compare,
  installText,
  jumpsTo,
  removeText,
  repairText,
  type Seen,
  unhookText,
} from '../../lib/redirect/compare.ts';
import { guardPlace, type OwnChain, redirectPlace } from '../../lib/redirect/rules.ts';

const redirect: OwnChain = {
  ...redirectPlace,
  rules: ['-p tcp -j DNAT --to-destination 10.0.0.4:2579'],
  packets: [{ hook: 'PREROUTING', ip: '169.254.169.254', local: false, ports: [80] }],
};
const guard: OwnChain = { ...guardPlace, rules: ['-p tcp -j DROP'], packets: [] };
const whole = ['-N aad-metadata', '-A aad-metadata -p tcp -j DNAT --to-destination 10.0.0.4:2579'];
const originals = [...whole, '-A aad-metadata -j RETURN'];
const jump = '-A PREROUTING -j aad-metadata';
const harmless = '-A PREROUTING -p udp -j KUBE-SERVICES';
const portals = '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES';
const commented = '-A PREROUTING -m comment --comment "a b" -j aad-metadata';

const cases: {
  name: string;
  seen: Omit<Seen, 'front'> & Partial<Seen>;
  differs: unknown[];
  moves: string[];
}[] = [
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
  {
    name: 'moves its jump in front of what could take the packet, and names that alone',
    seen: { lines: whole, jumps: [jump], front: { PREROUTING: [harmless, portals] } },
    differs: [{ kind: 'jump-behind', hook: 'PREROUTING', rivals: [portals] }],
    moves: ['-D PREROUTING -j aad-metadata', '-I PREROUTING 1 -j aad-metadata'],
  },
  {
    name: 'lets rules stand in front that cannot take the packet',
    seen: { lines: whole, jumps: [jump], front: { PREROUTING: [harmless] } },
    differs: [],
    moves: [],
  },
];

for (const { name, seen, differs, moves } of cases) {
  t.test(name, async (t) => {
    const differences = compare(redirect, { front: {}, ...seen });
    t.same(differences, differs);
    const chain = [':aad-metadata - [0:0]', ...whole.slice(1)];
    t.equal(repairText(redirect, seen, differences), ['*nat', ...chain, ...moves, 'COMMIT', ''].join('\n'));
  });
}

t.test('judges each hook of the guard by itself', async (t) => {
  const lines = ['-N aad-metadata-guard', '-A aad-metadata-guard -p tcp -j DROP'];
  const seen = { lines, jumps: ['-A INPUT -j aad-metadata-guard'], front: {} };
  const differences = compare(guard, seen);
  t.same(differences, [{ kind: 'jump-missing', hook: 'FORWARD' }]);
  t.match(repairText(guard, seen, differences), /^-I FORWARD 1 -j aad-metadata-guard$/m);
  t.notMatch(repairText(guard, seen, differences), /INPUT/);
});

t.test('installs the whole chain with every jump', async (t) => {
  t.equal(
    installText(guard),
    `*mangle
:aad-metadata-guard - [0:0]
-A aad-metadata-guard -p tcp -j DROP
-I FORWARD 1 -j aad-metadata-guard
-I INPUT 1 -j aad-metadata-guard
COMMIT
`,
  );
});

t.test('mends only what it is told to, so that a jump can be left where it is', async (t) => {
  const seen = { lines: originals, jumps: [jump], front: { PREROUTING: [portals] } };
  const [changed] = compare(redirect, seen);
  t.match(changed, { kind: 'chain-changed' });
  t.notMatch(repairText(redirect, seen, changed ? [changed] : []), /PREROUTING/);
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

const marked = '-A aad-metadata -p tcp -m comment --comment "pod-identity:a1" -j RETURN';

t.test('removes a chain only while it still names the agent that it named', async (t) => {
  t.equal(
    removeText(redirectPlace, { lines: ['-N aad-metadata', marked], jumps: [jump] }),
    `*nat
${marked.replace('-A', '-D')}
-F aad-metadata
-D PREROUTING -j aad-metadata
-X aad-metadata
COMMIT
`,
  );
});

t.test('takes the jumps out and leaves the chain, while it still names that agent', async (t) => {
  const text = unhookText(redirectPlace, { lines: ['-N aad-metadata', marked], jumps: [jump] });
  const expected = [
    '*nat',
    marked.replace('-A', '-D'),
    marked,
    '-D PREROUTING -j aad-metadata',
    'COMMIT',
    '',
  ];
  t.equal(text, expected.join('\n'));
  t.equal(unhookText(redirectPlace, { lines: whole, jumps: [jump] }), `*nat\n${expected[3]}\nCOMMIT\n`);
});
