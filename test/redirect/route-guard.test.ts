import t from 'tap';
import { AppError } from '../../lib/model/errors.ts';
import type { ExecResult } from '../../lib/platform/exec.ts';
import { RouteGuard } from '../../lib/redirect/route-guard.ts';
import { failureOf, refusalOf } from '../fakes/failure.ts';
import { FakeIpRules } from '../fakes/ip-rules.ts';

const rules = { metadataIp: '169.254.169.254' };
const texts = {
  onward: 'pref 66 protocol 169 nop',
  exempt: 'pref 64 protocol 169 iif lo to 169.254.169.254/32 ipproto tcp goto 66',
  drop: 'pref 65 protocol 169 to 169.254.169.254/32 ipproto tcp blackhole',
};
const added = [texts.onward, texts.exempt, texts.drop].map((text) => `rule add ${text}`);
const flush = (pref: number): string => `rule flush pref ${pref} protocol 169`;
const look = 'ip -4 -N -j rule show';
const change = 'ip -4 -batch -';
const says = (stderr: string): ExecResult => ({ code: 2, stdout: '', stderr: `${stderr}\n` });

function start() {
  const fake = new FakeIpRules();
  const guard = new RouteGuard(fake.exec, rules);
  /** Somebody else changes the rules. */
  const batch = async (...lines: string[]): Promise<void> => {
    await fake.exec('ip', ['-4', '-batch', '-'], { timeoutMs: 1, stdin: lines.join('\n') });
    fake.changes.length = 0;
  };
  return { fake, guard, batch };
}

t.test('adds the rule that drops last, and nothing where all stands', async (t) => {
  const { fake, guard } = start();
  t.equal(await guard.mend(), 'raised');
  t.strictSame(fake.changes, added);
  t.equal(await guard.mend(), 'stands');
  t.equal(fake.changes.length, 3);
});

t.test('takes over what a killed agent left', async (t) => {
  const { fake, guard, batch } = start();
  await batch(...added);
  t.equal(await guard.mend(), 'stands');
  t.strictSame(fake.changes, []);
});

t.test('what is missing is added, and the rest stays where it is', async (t) => {
  const { fake, guard, batch } = start();
  await guard.mend();
  for (const [pref, line] of [
    [65, added[2]],
    [64, added[1]],
    [66, undefined],
  ] as const) {
    await batch(flush(pref));
    t.equal(await guard.mend(), 'repaired');
    // The rule that jumps shows that its target was gone.
    t.strictSame(fake.changes, line ? [line] : [flush(65), flush(64), ...added]);
  }
});

t.test("replaces an earlier version's, which goes in the other order", async (t) => {
  const { fake, guard, batch } = start();
  await batch(
    'rule add pref 50 protocol 169 nop',
    'rule add pref 48 protocol 169 iif lo goto 50',
    'rule add pref 49 protocol 169 to 169.254.169.253/32 ipproto tcp blackhole',
  );
  t.equal(await guard.mend(), 'raised');
  t.strictSame(fake.changes, [flush(49), flush(48), flush(50), ...added]);
  t.equal(await guard.mend(), 'stands');
});

t.test("another's rules are neither counted nor touched", async (t) => {
  const { fake, guard, batch } = start();
  await batch(...added.map((line) => line.replace('protocol 169', 'protocol 11')));
  t.equal(await guard.mend(), 'raised');
  t.strictSame(fake.changes, added);
  t.equal((await guard.withdraw()).length, 3);
  t.strictSame(await guard.withdraw(), []);
});

t.test('an agent beside this one that is faster is no failure', async (t) => {
  const { guard, fake } = start();
  const racing = new RouteGuard(async (file, args, options) => {
    if (options.stdin !== undefined) await guard.mend();
    return fake.exec(file, args, options);
  }, rules);
  t.equal(await racing.mend(), 'raised');
});

t.test('withdrawn, what drops goes first and what others jump to last; and it tells what', async (t) => {
  const { fake, guard } = start();
  await guard.mend();
  fake.changes.length = 0;
  t.strictSame(await guard.withdraw(), [
    `ip rule: ${texts.exempt}`,
    `ip rule: ${texts.drop}`,
    `ip rule: ${texts.onward}`,
  ]);
  t.strictSame(fake.changes, [flush(65), flush(64), flush(66)]);
  t.equal(await guard.mend(), 'raised', 'it is no repair when it was withdrawn');
});

t.test('tells what it removes also when it knows it not', async (t) => {
  const { guard, batch } = start();
  await batch('rule add pref 7 protocol 169 lookup 9');
  t.strictSame(await guard.withdraw(), ['ip rule: {"src":"all","priority":7,"protocol":"169","table":"9"}']);
});

t.test('says in one sentence what ip or the kernel does not know', async (t) => {
  const needs = '(needs Linux 4.17 and iproute2 5.3)';
  const could = 'the routing rules of --guard=both could not be';
  const table: readonly (readonly [string, ExecResult, string])[] = [
    [change, says('Error: argument "ipproto" is wrong'), `set: Error: argument "ipproto" is wrong ${needs}`],
    [change, { code: 0, stdout: '', stderr: '' }, `set: ip shows others ${needs}`],
    [
      'rule add pref 65',
      says('RTNETLINK answers: Invalid argument'),
      `set: RTNETLINK answers: Invalid argument ${needs}`,
    ],
    [look, says('Option "-N" is unknown, try "ip -help".'), 'read: Option "-N" is unknown, try "ip -help".'],
    [look, { code: 128, stdout: '', stderr: '' }, 'read: exit 128'],
    [look, { code: 0, stdout: '0: from all', stderr: '' }, 'read: ip does not answer in JSON'],
    [look, { code: 0, stdout: '{}', stderr: '' }, 'read: ip does not answer in JSON'],
  ];
  for (const [to, answer, why] of table) {
    const { fake, guard } = start();
    fake.trouble = { to, answer };
    t.strictSame(await refusalOf(() => guard.mend()), { code: 'routes-failed', message: `${could} ${why}` });
    fake.trouble = undefined;
    t.equal(await guard.mend(), 'raised', 'and goes on when it can');
  }
});

t.test('what could not be told changes nothing', async (t) => {
  const { fake, guard } = start();
  await guard.mend();
  fake.changes.length = 0;
  fake.trouble = { to: look, answer: says('RTNETLINK answers: Operation not permitted') };
  t.match(await failureOf(() => guard.mend()), { code: 'routes-failed' });
  t.match(await failureOf(() => guard.withdraw()), { code: 'routes-failed' });
  t.strictSame(fake.changes, []);
});

t.test('says when one is left', async (t) => {
  const { fake, guard } = start();
  await guard.mend();
  fake.trouble = { to: flush(64), answer: says('RTNETLINK answers: Operation not permitted') };
  t.strictSame(await refusalOf(() => guard.withdraw()), {
    code: 'routes-failed',
    message:
      'the routing rules of --guard=both could not be removed: RTNETLINK answers: Operation not permitted',
  });
});

t.test('without ip, or without policy routing, there is nothing to withdraw, and no guard', async (t) => {
  const missing = new AppError('exec-missing', 'ip is not installed');
  for (const answer of [missing, says('RTNETLINK answers: Operation not supported\nDump terminated')]) {
    const { fake, guard } = start();
    fake.trouble = { to: 'ip ', answer };
    t.strictSame(await guard.withdraw(), []);
    t.match(await failureOf(() => guard.mend()), {
      code: answer === missing ? 'exec-missing' : 'routes-failed',
      message: answer === missing ? /not installed/ : /Operation not supported/,
    });
  }
});

t.test('an ip that hangs is told, at the end as well', async (t) => {
  const { fake, guard } = start();
  fake.trouble = { to: 'ip ', answer: new AppError('exec-timeout', 'ip took longer than 5000 ms') };
  t.match(await failureOf(() => guard.mend()), { code: 'exec-timeout' });
  t.match(await failureOf(() => guard.withdraw()), { code: 'exec-timeout' });
});
