import t from 'tap';
import { AppError } from '../../lib/model/errors.ts';
import type { Exec, ExecResult } from '../../lib/platform/exec.ts';
import { cutUnredirected } from '../../lib/redirect/conntrack.ts';
import type { RedirectOptions } from '../../lib/redirect/redirect.ts';
import { failureOf, refusalOf } from '../fakes/failure.ts';
import { FakeIptables } from '../fakes/iptables.ts';
import { rules, type Setup, setup } from './setup.ts';

/** What conntrack 1.4.7 says. */
const says = (text: string): string => `conntrack v1.4.7 (conntrack-tools): ${text}\n`;
const deleted: ExecResult = { code: 0, stdout: 'tcp 6 …', stderr: says('3 flow entries have been deleted.') };
const nothing: ExecResult = { code: 1, stdout: '', stderr: says('0 flow entries have been deleted.') };
const notRoot = 'Operation failed: sorry, you must be root or get CAP_NET_ADMIN capability to do this';

/** Cuts once, with a conntrack that ends like this. */
const cut = (result: ExecResult): Promise<void> => cutUnredirected(async () => result, rules);

t.test('deletes connections to the metadata service that were not redirected, and no other', async (t) => {
  const calls: Parameters<Exec>[] = [];
  const exec: Exec = async (...call) => {
    calls.push(call);
    return deleted;
  };
  await cutUnredirected(exec, { ...rules, metadataPort: 8080 });
  const args = '-D -p tcp --orig-dst 169.254.169.254 --orig-port-dst 8080 --reply-src 169.254.169.254'.split(
    ' ',
  );
  t.strictSame(calls, [['conntrack', args, { timeoutMs: 5_000 }]]);
});

t.test('having nothing to delete is no failure, though conntrack ends with 1', async (t) => {
  await t.resolves(cut(nothing));
  await t.resolves(cut(deleted));
});

t.test('says what conntrack said when it could not', async (t) => {
  const failures: readonly (readonly [ExecResult, string])[] = [
    [{ code: 1, stdout: '', stderr: says(notRoot) }, `conntrack: ${says(notRoot).trim()}`],
    [{ code: 2, stdout: '', stderr: 'unknown option\nTry --help\n' }, 'conntrack: Try --help'],
    [{ code: 128, stdout: '', stderr: '' }, 'conntrack: exit 128'],
    [
      { code: 1, stdout: '', stderr: says('10 flow entries have been deleted.') },
      `conntrack: ${says('10 flow entries have been deleted.').trim()}`,
    ],
  ];
  for (const [result, message] of failures)
    t.strictSame(await refusalOf(() => cut(result)), { code: 'iptables-failed', message });
});

t.test('passes on that there is no conntrack, or that it hangs', async (t) => {
  for (const code of ['exec-missing', 'exec-timeout'] as const) {
    const exec = async (): Promise<never> => {
      throw new AppError(code, 'conntrack');
    };
    t.match(await failureOf(() => cutUnredirected(exec, rules)), { code });
  }
});

interface Bench extends Setup {
  /** When conntrack was called, by what stood in nat then. */
  readonly cuts: boolean[];
  /** How conntrack ends; an Error is thrown. */
  result: ExecResult | Error;
  /** What was logged of it. */
  warnings(): unknown[];
}

function start(more: Partial<RedirectOptions> = {}): Bench {
  const fake = new FakeIptables();
  const cuts: boolean[] = [];
  const exec: Exec = async (file, args, options) => {
    if (file !== 'conntrack') return fake.exec(file, args, options);
    cuts.push(fake.lines('nft', 'nat').includes('-A PREROUTING -j aad-metadata'));
    if (bench.result instanceof Error) throw bench.result;
    return bench.result;
  };
  const parts = setup({ exec, readFile: fake.readFile, conntrackDeletion: true, ...more });
  const warnings = (): unknown[] =>
    parts.logged.filter(({ msg }) => msg === 'old connections could not be ended').map(({ why }) => why);
  const bench: Bench = { ...parts, fake, cuts, result: nothing, warnings };
  return bench;
}

t.test('is done at start once the redirect stands, and not by the guard alone', async (t) => {
  const { redirect, cuts } = start();
  await redirect.raiseGuard();
  t.same(cuts, []);
  await redirect.redirect(2579);
  t.same(cuts, [true]);
});

t.test('is done at start also where all stands from before', async (t) => {
  const first = start();
  await first.redirect.redirect(2579);
  const exec: Exec = async (file, args, options) => {
    if (file !== 'conntrack') return first.fake.exec(file, args, options);
    calls++;
    return deleted;
  };
  let calls = 0;
  await setup({ exec, readFile: first.fake.readFile, conntrackDeletion: true }).redirect.redirect(2579);
  t.equal(calls, 1);
});

t.test('is done again after each repair, of whatever chain, and never without one', async (t) => {
  const { redirect, clock, fake, cuts, keep, repaired } = start();
  await redirect.raiseGuard();
  await redirect.redirect(2579);
  await keep(t);
  await clock.advance(60_000);
  t.same(cuts, [true]);
  fake.flush('nft', 'nat');
  await clock.advance(1_700);
  t.same(cuts, [true, true], 'when it stands again');
  fake.flush('nft', 'mangle');
  await clock.advance(1_700);
  t.equal(cuts.length, 3);
  await clock.advance(60_000);
  t.equal(cuts.length, 3);
  t.equal(repaired.length, 5);
});

t.test('is not done at all when it is off', async (t) => {
  const { redirect, clock, fake, cuts, keep, warnings } = start({ conntrackDeletion: false });
  await redirect.redirect(2579);
  await keep(t);
  fake.flush('nft', 'nat');
  await clock.advance(10_000);
  t.match(redirect.state(), { redirect: 'present' });
  t.same([cuts, warnings()], [[], []]);
});

t.test('a missing conntrack is one warning, and holds up nothing', async (t) => {
  const bench = start();
  const { redirect, clock, fake, keep, cuts, warnings } = bench;
  bench.result = new AppError('exec-missing', 'conntrack is not installed');
  await redirect.redirect(2579);
  t.match(redirect.state(), { redirect: 'present', why: undefined });
  await keep(t);
  await clock.advance(10_000);
  t.equal(cuts.length, 1, 'it is not tried again');
  for (let i = 0; i < 3; i++) {
    fake.flush('nft', 'nat');
    await clock.advance(1_700);
  }
  t.equal(cuts.length, 4, 'before the next repair');
  t.same(warnings(), ['conntrack is not installed']);
  bench.result = { code: 1, stdout: '', stderr: notRoot };
  fake.flush('nft', 'nat');
  await clock.advance(1_700);
  t.same(warnings(), ['conntrack is not installed', `conntrack: ${notRoot}`], 'another reason is told');
});
