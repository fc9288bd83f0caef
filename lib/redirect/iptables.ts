import { AppError, isAppError, messageOf } from '../model/errors.ts';
import type { Exec, ExecResult } from '../platform/exec.ts';
import type { Table } from './rules.ts';

export type BackendName = 'nft' | 'legacy';

/** No answer that means anything (lock busy, timeout, no permission, no program). `passing`: asking later may well help. */
export interface Unknown {
  readonly kind: 'unknown';
  readonly why: string;
  readonly passing: boolean;
}

/**
 * One listing. `incompatible`: the nft backend met rules that only `nft` can print; iptables 1.8.9 says the same of a
 * chain that is not there.
 */
export type Listed =
  | { readonly kind: 'lines'; readonly lines: readonly string[] }
  | { readonly kind: 'no-chain' }
  | { readonly kind: 'incompatible' }
  | Unknown;

/** The calls that we make of one backend. */
export interface Iptables {
  readonly backend: BackendName;
  /** `-S` of one chain, or of a whole table. Never throws. Asking legacy about a table creates that table. */
  list(table: Table, chain?: string): Promise<Listed>;
  /** Applies a restore text: all of it or, with AppError `iptables-failed`, nothing (per table). */
  restore(text: string): Promise<void>;
  /** Runs a restore text dry and returns what the program says, whatever that is. Throws as {@link Exec} does. */
  dryRun(text: string): Promise<ExecResult>;
}

/** Seconds that iptables waits for the lock by itself. */
const lockWait = '5';
const timeoutMs = 10_000;

export function createIptables(exec: Exec, backend: BackendName): Iptables {
  const program = `iptables-${backend}`;
  const restore = (stdin: string, ...more: string[]): Promise<ExecResult> =>
    exec(`${program}-restore`, ['--noflush', '-w', lockWait, ...more], { timeoutMs, stdin });
  let asked: Question[] | undefined;
  return {
    backend,
    list: (table, chain) =>
      new Promise((resolve) => {
        if (!asked) {
          const together = [] as Question[];
          asked = together;
          queueMicrotask(() => {
            asked = undefined;
            void answer(exec, program, together);
          });
        }
        const where = chain === undefined ? [] : [chain];
        asked.push({ args: ['-w', lockWait, '-t', table, '-S', ...where], resolve });
      }),
    async restore(text) {
      const result = await restore(text).catch((error: unknown) => {
        throw new AppError('iptables-failed', messageOf(error), { cause: error });
      });
      if (result.code !== 0) throw new AppError('iptables-failed', complaint(result));
    },
    dryRun: (text) => restore(text, '--test'),
  };
}

interface Question {
  readonly args: readonly string[];
  readonly resolve: (listed: Listed) => void;
}

/**
 * What is asked at once is answered by one process: to start one costs more than what iptables does in it, and the more, the more
 * memory this process has (1.4 ms of CPU for each 100 MB; three calls 16 ms, one that makes the three 10; measured, Node 24).
 */
async function answer(exec: Exec, program: string, questions: readonly Question[]): Promise<void> {
  try {
    const results = await run(exec, program, questions);
    for (const [at, { resolve }] of questions.entries()) resolve(asListed(results[at] ?? unasked));
  } catch (error) {
    const why = messageOf(error);
    for (const { resolve } of questions)
      resolve({ kind: 'unknown', why, passing: !isAppError(error, 'exec-missing') });
  }
}

/** Not a word of a line is quoted or expanded. Where legacy's lock is busy (4), the next would wait in vain, too. */
export const eachLine =
  'set -f; while read -r line; do "$0" $line 2>&1; end="exit $?"; echo "$end"; [ "$end $0" = "exit 4 iptables-legacy" ] && break; done; :';

async function run(
  exec: Exec,
  program: string,
  questions: readonly Question[],
): Promise<readonly ExecResult[]> {
  const [first] = questions;
  if (first && questions.length === 1) return [await exec(program, first.args, { timeoutMs })];
  const stdin = questions.map(({ args }) => `${args.join(' ')}\n`).join('');
  const { stdout } = await exec('sh', ['-c', eachLine, program], { timeoutMs, stdin });
  const results = [...stdout.matchAll(/((?:.*\n)*?)exit (\d+)\n/g)].map(([, said = '', code]) => ({
    code: Number(code),
    stdout: said,
    stderr: said,
  }));
  if (results.some(({ code }) => code === 127))
    throw new AppError('exec-missing', `${program} is not installed`);
  return results;
}

/** For what came behind a busy lock. */
const unasked: ExecResult = {
  code: 4,
  stdout: '',
  stderr: 'Another app is currently holding the xtables lock',
};

function asListed(result: ExecResult): Listed {
  if (result.code === 0)
    // Warnings may stand between them.
    return { kind: 'lines', lines: result.stdout.split('\n').filter((line) => line.startsWith('-')) };
  // English whatever the locale: iptables never calls setlocale.
  if (result.code === 1 && /No chain\/target\/match by that name/.test(result.stderr))
    return { kind: 'no-chain' };
  if (result.code === 1 && /is incompatible, use 'nft' tool/.test(result.stderr))
    return { kind: 'incompatible' };
  return { kind: 'unknown', why: complaint(result), passing: isPassing(result) };
}

/** What the program said, on one line, without the warnings that mean nothing. */
export function complaint({ code, stderr }: ExecResult): string {
  const said = stderr.split('\n').filter((line) => !/^(# Warning:|Try `|Perhaps |\s*$)/.test(line));
  return `${said.map((line) => line.trim()).join(' ') || 'no message'} (exit ${code})`;
}

/** True when the same call may well succeed later: somebody else holds the lock, or changed the rules under us. */
export function isPassing({ stderr }: ExecResult): boolean {
  return /temporarily unavailable|holding the xtables lock|resource busy|interrupted system call/i.test(
    stderr,
  );
}
