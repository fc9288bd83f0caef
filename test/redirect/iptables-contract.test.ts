import t from 'tap';
import { AppError } from '../../lib/model/errors.ts';
import { restoreText } from '../../lib/redirect/compare.ts';
import { leaves, wipe, worlds } from './worlds.ts';

/**
 * The same list on the fake and on the kernel, both backends: what is taken, what is refused, and what stands then. A fake
 * that says yes where the kernel says no would make the other tests worthless.
 */
const redirect = ':aad-metadata - [0:0]';
const rule = '-A aad-metadata -p tcp -m tcp --dport 80 -j RETURN';
const jump = '-A PREROUTING -j aad-metadata';
const base = [redirect, rule, jump];

interface Case {
  readonly name: string;
  readonly given?: readonly string[];
  readonly lines: readonly string[];
  readonly taken: boolean;
  /** `-S` of our chain and PREROUTING afterwards; what was given, when absent. */
  readonly leaves?: readonly string[];
}

const given = ['-N aad-metadata', rule, jump];
const cases: readonly Case[] = [
  { name: 'creates a chain and jumps to it', lines: base, taken: true, leaves: given },
  {
    name: 'empties a chain that is declared again',
    given: base,
    lines: [redirect],
    taken: true,
    leaves: ['-N aad-metadata', jump],
  },
  {
    name: 'inserts in front',
    given: base,
    lines: ['-I PREROUTING 1 -p tcp -j aad-metadata'],
    taken: true,
    leaves: ['-N aad-metadata', rule, '-A PREROUTING -p tcp -j aad-metadata', jump],
  },
  {
    name: 'moves a jump in one step',
    given: [...base, '-A PREROUTING -p tcp -j ACCEPT'],
    lines: ['-D PREROUTING -j aad-metadata', '-I PREROUTING 1 -j aad-metadata'],
    taken: true,
    leaves: [...given, '-A PREROUTING -p tcp -j ACCEPT'],
  },
  {
    name: 'deletes the first of two equal rules',
    given: [...base, jump],
    lines: ['-D PREROUTING -j aad-metadata'],
    taken: true,
    leaves: given,
  },
  {
    name: 'deletes by a quoted comment',
    given: [...base, '-A PREROUTING -m comment --comment "a b" -j aad-metadata'],
    lines: ['-D PREROUTING -m comment --comment "a b" -j aad-metadata'],
    taken: true,
    leaves: given,
  },
  {
    name: 'removes jump and chain in one step',
    given: base,
    lines: [redirect, '-D PREROUTING -j aad-metadata', '-X aad-metadata'],
    taken: true,
    leaves: [],
  },
  {
    name: 'refuses to delete a rule that is not there',
    given: base,
    lines: [redirect, '-D PREROUTING -p tcp -j aad-metadata'],
    taken: false,
  },
  {
    name: 'refuses to delete a jump to a chain that is not there',
    lines: ['-D PREROUTING -j aad-metadata'],
    taken: false,
    leaves: [],
  },
  { name: 'refuses a rule in a chain that is not there', lines: [rule], taken: false, leaves: [] },
  { name: 'refuses a jump to a chain that is not there', lines: [jump], taken: false, leaves: [] },
  {
    name: 'refuses to remove a chain that is jumped to',
    given: base,
    lines: [redirect, '-X aad-metadata'],
    taken: false,
  },
  {
    name: 'refuses to remove a chain that is not there',
    lines: ['-X aad-metadata'],
    taken: false,
    leaves: [],
  },
  {
    name: 'refuses a match that it does not know',
    given: base,
    lines: ['-A aad-metadata -m nonesuch -j RETURN'],
    taken: false,
  },
  {
    name: 'refuses a target that it does not know',
    given: base,
    lines: ['-A aad-metadata -j NONESUCH'],
    taken: false,
  },
  {
    name: 'refuses a position beyond the end',
    given: base,
    lines: ['-I PREROUTING 9 -j aad-metadata'],
    taken: false,
  },
  { name: 'refuses what is no rule at all', given: base, lines: [redirect, 'nonsense'], taken: false },
];

for (const world of worlds) {
  t.test(world.name, { skip: world.skip }, async (t) => {
    const iptables = world.make(t);
    for (const { name, given = [], lines, taken, leaves: expected } of cases) {
      t.test(name, async (t) => {
        await wipe(iptables);
        if (given.length > 0) await iptables.restore(restoreText('nat', given));
        const before = await leaves(iptables);
        const done = iptables.restore(restoreText('nat', lines));
        if (taken) await t.resolves(done);
        else await t.rejects(done, AppError);
        t.same(await leaves(iptables), expected ?? before);
      });
    }

    t.test('leaves both tables as they were when a text breaks off', async (t) => {
      await wipe(iptables);
      await t.rejects(iptables.restore(`*nat\n${redirect}\n`), { code: 'iptables-failed' });
      t.same(await leaves(iptables), []);
    });

    t.test('tells a chain that is not there from no answer', async (t) => {
      await wipe(iptables);
      const listed = await iptables.list('nat', 'aad-metadata');
      t.match(listed, { kind: /^(no-chain|incompatible)$/ });
    });

    t.test('changes nothing in a dry run', async (t) => {
      await wipe(iptables);
      t.equal((await iptables.dryRun(restoreText('nat', base))).code, 0);
      t.same(await leaves(iptables), []);
    });
  });
}
