import { isDeepStrictEqual } from 'node:util';
import { AppError, isAppError } from '../model/errors.ts';
import type { Exec, ExecResult } from '../platform/exec.ts';
import type { RedirectRules } from './rules.ts';

/**
 * The mark of our rules: `protocol`, a number that the kernel keeps and shows and that means nothing to it. The same as that of
 * the neighbour entries that we pin, so that one number finds all of ours.
 */
export const ownProtocol = 169;

/**
 * Where our rules stand: exempt, then drop, then the place where the exempt go on. After Cilium's 1, 9, 10 and 20, which take
 * marked packets and those to pods, and before Calico's 99 and Cilium's 100 (where it moves the local table) and up. Another's
 * rule with the same preference stands beside ours; what it routes never comes to ours, as with any rule in front.
 */
export const preferences = { exempt: 64, drop: 65, onward: 66 } as const;

/** As `ip -N -j rule show` prints it. */
type Row = Readonly<Record<string, unknown>>;

/** One rule: what `ip rule add` is told, and what it shows then. */
interface Rule {
  readonly text: string;
  readonly row: Row;
}

/**
 * The guard that no flush of iptables touches: a blackhole for what is routed to the metadata address, with the node's own
 * processes (`iif lo`) exempt. A redirected packet carries another address by then.
 */
export class RouteGuard {
  readonly #exec: Exec;
  readonly #wanted: readonly Rule[];
  #stood = false;

  constructor(exec: Exec, rules: Pick<RedirectRules, 'metadataIp'>) {
    this.#exec = exec;
    this.#wanted = wantedRules(rules.metadataIp);
  }

  /**
   * Makes the rules stand: `raised` the first time, `repaired` after they had stood. One call of `ip` where they stand (2 ms of
   * CPU and 1.4 for starting it). Throws AppError `routes-failed` when it could not be told or done, or what `exec` throws.
   */
  async mend(): Promise<'stands' | 'raised' | 'repaired'> {
    const steps = stepsTo(this.#wanted, await this.#look());
    if (steps.length > 0) {
      const { stderr } = await this.#change(steps);
      // What counts is not the answer: an agent beside this one may have been faster, and what is new to a kernel it ignores.
      if (stepsTo(this.#wanted, await this.#look()).length > 0)
        throw failure('set', `${oneLine(stderr) || 'ip shows others'} (needs Linux 4.17 and iproute2 5.3)`);
    }
    const how = steps.length === 0 ? 'stands' : this.#stood ? 'repaired' : 'raised';
    this.#stood = true;
    return how;
  }

  /**
   * Takes out every rule with our mark, any number of times. Returns them as `ip rule: …`; none where there is no `ip`, since
   * nothing of ours was put in without it. Throws AppError `routes-failed` when one may be left, or `exec-timeout`.
   */
  async withdraw(): Promise<readonly string[]> {
    this.#stood = false;
    const seen = await this.#look().catch((error: unknown) => {
      if (isAppError(error, 'exec-missing')) return [];
      throw error;
    });
    if (seen.length === 0) return [];
    const { stderr } = await this.#change(stepsOut(seen));
    if ((await this.#look()).length > 0) throw failure('removed', oneLine(stderr) || 'they are there again');
    return seen.map((row) => `ip rule: ${this.#textOf(row)}`);
  }

  /** The rules with our mark. `ip rule show` takes a protocol, but shows them all (6.1). */
  async #look(): Promise<readonly Row[]> {
    // -N: the number, where a file of the node has a name for it.
    const { code, stdout, stderr } = await this.#exec('ip', ['-4', '-N', '-j', 'rule', 'show'], {
      timeoutMs,
    });
    // A kernel without policy routing holds no rules.
    if (code !== 0 && stderr.includes('not supported')) return [];
    if (code !== 0) throw failure('read', oneLine(stderr) || `exit ${code}`);
    const rows = parse(stdout);
    if (!rows) throw failure('read', 'ip does not answer in JSON');
    return rows.filter(({ protocol }) => protocol === String(ownProtocol));
  }

  #change(steps: readonly string[]): Promise<ExecResult> {
    return this.#exec('ip', ['-4', '-batch', '-'], { timeoutMs, stdin: `${steps.join('\n')}\n` });
  }

  #textOf(row: Row): string {
    return this.#wanted.find((rule) => isDeepStrictEqual(rule.row, row))?.text ?? JSON.stringify(row);
  }
}

/** `ip` answers in milliseconds; only a kernel that hangs takes this long, ms. */
const timeoutMs = 5_000;

/**
 * In the order in which they are added: who is exempt is never dropped, not even for a moment. Every port, since routing sees
 * none in a fragment: where nothing uses conntrack, which would put it together first, a SYN in two passed a rule with
 * `dport 80` (measured, Linux 6.18).
 */
function wantedRules(metadataIp: string): readonly Rule[] {
  const { exempt, drop, onward } = preferences;
  const text = `to ${metadataIp}/32 ipproto tcp`;
  const row = { src: 'all', dst: metadataIp, ipproto: 'ipproto-6' };
  return [
    { text: 'nop', row: { priority: onward, src: 'all', nop: null } },
    { text: `iif lo ${text} goto ${onward}`, row: { priority: exempt, ...row, iif: 'lo', goto: onward } },
    { text: `${text} blackhole`, row: { priority: drop, ...row, action: '6' } },
  ].map((rule) => ({
    text: `pref ${rule.row.priority} protocol ${ownProtocol} ${rule.text}`,
    row: { ...rule.row, protocol: String(ownProtocol) },
  }));
}

/** What is missing is added. Where one is not as it should be (an earlier version's, or its target is gone), all are made anew. */
function stepsTo(wanted: readonly Rule[], seen: readonly Row[]): readonly string[] {
  const isSeen = ({ row }: Rule): boolean => seen.some((one) => isDeepStrictEqual(one, row));
  const isWanted = (one: Row): boolean => wanted.some(({ row }) => isDeepStrictEqual(one, row));
  const add = (rules: readonly Rule[]): string[] => rules.map(({ text }) => `rule add ${text}`);
  if (seen.every(isWanted)) return add(wanted.filter((rule) => !isSeen(rule)));
  return [...stepsOut(seen), ...add(wanted)];
}

/** What drops goes first, what others jump to last. */
function stepsOut(seen: readonly Row[]): readonly string[] {
  const rank = (row: Row): number => ('nop' in row ? 2 : 'goto' in row ? 1 : 0);
  const inOrder = [...seen].sort((a, b) => rank(a) - rank(b));
  // Not `del`, which ends the batch when the rule is gone in between.
  return inOrder.map(({ priority }) => `rule flush pref ${priority} protocol ${ownProtocol}`);
}

function parse(stdout: string): readonly Row[] | undefined {
  try {
    const rows: unknown = JSON.parse(stdout);
    return Array.isArray(rows) ? rows : undefined;
  } catch {
    return undefined;
  }
}

function failure(verb: 'read' | 'set' | 'removed', why: string): AppError {
  return new AppError('routes-failed', `the routing rules of --guard=both could not be ${verb}: ${why}`);
}

/** What `ip` says, without the line that counts lines. */
function oneLine(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !line.startsWith('Command failed')).join(' ');
}
