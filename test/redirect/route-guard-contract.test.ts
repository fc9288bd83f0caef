import t, { type Test } from 'tap';
import type { Exec } from '../../lib/platform/exec.ts';
import { RouteGuard } from '../../lib/redirect/route-guard.ts';
import { FakeIpRules } from '../fakes/ip-rules.ts';
import { execIn, skip, throwAwayNamespace } from '../netns/namespaces.ts';

/**
 * The same list on the fake and on the real `ip`: what is taken, what is refused, and what is shown then. A fake that says yes
 * where the kernel says no would make the other tests worthless.
 */
interface Case {
  readonly name: string;
  readonly lines: readonly string[];
  /** What `ip` says to it; nothing when it takes it. */
  readonly refused?: string;
  /** What is shown then, but for the kernel's own three. */
  readonly shown: readonly object[];
}

const exempt = 'rule add pref 64 protocol 169 iif lo to 169.254.169.254/32 ipproto tcp goto 66';
const match = { src: 'all', dst: '169.254.169.254', ipproto: 'ipproto-6' };
const nop = (priority: number, more = {}) => ({ priority, src: 'all', nop: null, ...more });
const ours = { protocol: '169' };
const exemptRow = { priority: 64, ...match, iif: 'lo', goto: 66, ...ours };
const exists = 'RTNETLINK answers: File exists';

const cases: readonly Case[] = [
  {
    name: 'prints our three as we compare them',
    lines: [
      'rule add pref 66 protocol 169 nop',
      exempt,
      'rule add pref 65 protocol 169 to 169.254.169.254/32 ipproto tcp blackhole',
    ],
    shown: [exemptRow, { priority: 65, ...match, action: '6', ...ours }, nop(66, ours)],
  },
  {
    name: 'shows a goto whose target is not there',
    lines: [exempt],
    shown: [{ ...exemptRow, unresolved: null }],
  },
  {
    name: "goes on at another's rule, too",
    lines: ['rule add pref 66 nop', exempt],
    shown: [exemptRow, nop(66)],
  },
  {
    name: 'refuses to jump back',
    lines: ['rule add pref 64 protocol 169 goto 64'],
    refused: 'Error: Backward goto not supported.\nCommand failed -:1\n',
    shown: [],
  },
  {
    name: 'refuses a second equal rule, and does nothing of what follows',
    lines: ['rule add pref 66 protocol 169 nop', 'rule add pref 66 protocol 169 nop', 'rule add pref 67 nop'],
    refused: `${exists}\nCommand failed -:2\n`,
    shown: [nop(66, ours)],
  },
  {
    name: 'takes a rule that jumps elsewhere for an equal one',
    lines: [exempt, exempt.replace('goto 66', 'goto 77')],
    refused: `${exists}\nCommand failed -:2\n`,
    shown: [{ ...exemptRow, unresolved: null }],
  },
  {
    name: 'takes the same rule with another mark, behind it',
    lines: ['rule add pref 66 nop', 'rule add pref 66 protocol 169 nop'],
    shown: [nop(66), nop(66, ours)],
  },
  {
    name: 'flushes by preference and mark, and is content when there is none',
    lines: [
      'rule add pref 66 nop',
      'rule add pref 66 protocol 169 nop',
      'rule add pref 67 protocol 169 nop',
      'rule flush pref 66 protocol 169',
      'rule flush pref 68 protocol 169',
    ],
    shown: [nop(66), nop(67, ours)],
  },
  {
    name: "shows what is another's",
    lines: ['rule add pref 99 from 192.0.2.1 lookup 7', 'rule add pref 98 protocol 11 iif lo lookup 7'],
    shown: [
      { priority: 98, src: 'all', iif: 'lo', table: '7', protocol: '11' },
      { priority: 99, src: '192.0.2.1', table: '7' },
    ],
  },
];

const worlds = {
  fake: { skip: false as const, open: (): Exec => new FakeIpRules().exec },
  kernel: { skip, open: (t: Test): Exec => execIn(throwAwayNamespace(t)) },
};

async function batch(exec: Exec, lines: readonly string[]) {
  return exec('ip', ['-4', '-batch', '-'], { timeoutMs: 5_000, stdin: `${lines.join('\n')}\n` });
}

async function shown(exec: Exec): Promise<Record<string, unknown>[]> {
  const { stdout } = await exec('ip', ['-4', '-N', '-j', 'rule', 'show'], { timeoutMs: 5_000 });
  const rows = JSON.parse(stdout) as Record<string, unknown>[];
  return rows.filter(({ priority }) => ![0, 32_766, 32_767].includes(Number(priority)));
}

for (const [world, { skip, open }] of Object.entries(worlds)) {
  t.test(world, { skip }, async (t) => {
    for (const { name, lines, refused = '', shown: expected } of cases) {
      t.test(name, async (t) => {
        const exec = open(t);
        const { code, stderr } = await batch(exec, lines);
        t.strictSame([code, stderr], [refused === '' ? 0 : 1, refused]);
        t.strictSame(await shown(exec), expected);
      });
    }

    t.test('the guard goes in, stands, is repaired, and comes out', async (t) => {
      const exec = open(t);
      const theirs = ['rule add pref 65 from 192.0.2.1 lookup 7', 'rule add pref 66 nop'];
      await batch(exec, theirs);
      const before = await shown(exec);
      const guard = new RouteGuard(exec, { metadataIp: '169.254.169.254' });
      t.equal(await guard.mend(), 'raised');
      t.equal((await shown(exec)).length, 5);
      t.equal(await guard.mend(), 'stands');
      for (const pref of [64, 65, 66]) {
        await batch(exec, [`rule flush pref ${pref} protocol 169`]);
        t.equal(await guard.mend(), 'repaired', `${pref}`);
      }
      await batch(exec, ['rule flush pref 64 protocol 169', exempt.replace('goto 66', 'goto 99')]);
      t.equal(await guard.mend(), 'repaired', 'a rule that is not as it should be');
      t.equal(await guard.mend(), 'stands');
      t.equal((await guard.withdraw()).length, 3);
      t.strictSame(await guard.withdraw(), []);
      t.strictSame(await shown(exec), before);
    });
  });
}
