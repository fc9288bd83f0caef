import { AppError, isAppError } from '../../lib/model/errors.ts';
import type { Exec, ExecResult } from '../../lib/platform/exec.ts';
import type { ReadFile } from '../../lib/redirect/backend.ts';
import { type BackendName, eachLine } from '../../lib/redirect/iptables.ts';
import type { Table } from '../../lib/redirect/rules.ts';
import { ChainSet, Refusal } from './iptables-table.ts';

type Tables = Map<Table, ChainSet>;

/** What can be wrong with one backend. */
export type Trouble =
  | 'not-installed'
  | 'lock-busy'
  | 'not-root'
  | 'no-kernel-support'
  | 'no-conntrack-match'
  /** In each table stands a rule that only `nft` can print, in a chain of somebody else. */
  | 'native-rules'
  | 'hangs';

/**
 * iptables behind an Exec: nat and mangle of both backends in memory. It takes the calls and texts that we send, and refuses
 * what the kernel refuses, in the words of iptables 1.8.9. The contract test holds it to the real one.
 */
export class FakeIptables {
  readonly #tables: Record<BackendName, Tables> = { nft: new Map(), legacy: new Map() };
  readonly trouble: Partial<Record<BackendName, Trouble>> = {};
  /** Every restore text that was applied, the oldest first. */
  readonly applied: { backend: BackendName; text: string }[] = [];
  /** Called before each call, as somebody who comes in between. */
  onCall: (backend: BackendName, args: readonly string[]) => void = () => undefined;

  readonly exec: Exec = async (file, args, options) => {
    const { stdin = '' } = options;
    const [flag, script, program = ''] = args;
    if (file === 'sh' && flag === '-c' && script === eachLine) return this.#each(program, stdin);
    const [, backend, restore] = /^iptables-(nft|legacy)(-restore)?$/.exec(file) ?? [];
    if (!backend) throw new AppError('exec-missing', `${file} is not installed`);
    const name = backend as BackendName;
    this.onCall(name, args);
    return (
      this.#troubled(name, args) ?? (restore ? this.#restore(name, args, stdin) : this.#list(name, args))
    );
  };

  /** As `sh` runs {@link eachLine}. */
  async #each(program: string, stdin: string): Promise<ExecResult> {
    let stdout = '';
    for (const line of stdin.split('\n').filter((one) => one !== '')) {
      const result = await this.exec(program, line.split(' '), { timeoutMs: 0 }).catch((error: unknown) => {
        if (!isAppError(error, 'exec-missing')) throw error;
        return refused(127, `sh: 1: ${program}: not found`);
      });
      stdout += `${result.stdout}${result.stderr}exit ${result.code}\n`;
      if (result.code === 4 && program === 'iptables-legacy') break;
    }
    return { code: 0, stdout, stderr: '' };
  }

  /** /proc as far as the redirect stage reads it. */
  readonly readFile: ReadFile = async (path) => {
    if (path !== '/proc/net/ip_tables_names')
      throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' });
    return [...this.#tables.legacy.keys()].map((table) => `${table}\n`).join('');
  };

  /** Puts rules in place as another program would. Throws when they are refused. */
  put(backend: BackendName, table: Table, ...lines: readonly string[]): void {
    const result = this.#restore(backend, [], [`*${table}`, ...lines, 'COMMIT', ''].join('\n'));
    if (result.code !== 0) throw new Error(result.stderr);
    this.applied.pop();
  }

  /** What `iptables -F` and `-X` without more leave of a table. */
  flush(backend: BackendName, table: Table): void {
    this.#tables[backend].set(table, new ChainSet(table));
  }

  /** `-S` of a table, nothing but policies when it holds nothing. Does not create it. */
  lines(backend: BackendName, table: Table): readonly string[] {
    return (this.#tables[backend].get(table) ?? new ChainSet(table)).list();
  }

  #troubled(backend: BackendName, args: readonly string[]): ExecResult | undefined {
    const trouble = this.trouble[backend];
    if (trouble === 'not-installed')
      throw new AppError('exec-missing', `iptables-${backend} is not installed`);
    if (args.includes('--version')) return { code: 0, stdout: 'v1.8.9', stderr: '' };
    if (trouble === 'hangs')
      throw new AppError('exec-timeout', `iptables-${backend} took longer than 10000 ms`);
    if (trouble === 'lock-busy') return refused(4, lockBusy);
    if (trouble === 'not-root') return refused(4, 'Permission denied (you must be root)');
    if (trouble === 'no-kernel-support')
      return refused(3, 'Failed to initialize nft: Protocol not supported');
    return undefined;
  }

  #list(backend: BackendName, args: readonly string[]): ExecResult {
    const [wait, seconds, t, table, s, chain] = args;
    if (`${wait} ${seconds} ${t} ${s}` !== '-w 5 -t -S')
      return refused(2, `unexpected arguments ${args.join(' ')}`);
    const chains = this.#table(backend, table as Table);
    if (chain === undefined && this.trouble[backend] === 'native-rules')
      return refused(1, `table \`${table}' is incompatible, use 'nft' tool.`);
    if (chain === undefined) return { code: 0, stdout: text(chains.list()), stderr: '' };
    const lines = chains.listChain(chain);
    if (lines) return { code: 0, stdout: text(lines), stderr: '' };
    if (backend === 'legacy') return refused(1, 'iptables: No chain/target/match by that name.');
    return refused(1, `chain \`${chain}' in table \`${table}' is incompatible, use 'nft' tool.`);
  }

  #restore(backend: BackendName, args: readonly string[], stdin: string): ExecResult {
    if (stdin.includes('-m conntrack') && this.trouble[backend] === 'no-conntrack-match') {
      return refused(2, "Couldn't load match `conntrack':No such file or directory");
    }
    let open: { table: Table; chains: ChainSet } | undefined;
    try {
      for (const line of stdin.split('\n').filter((line) => line !== '')) {
        if (line.startsWith('*')) {
          const table = line.slice(1) as Table;
          open = { table, chains: this.#table(backend, table).copy() };
        } else if (!open) {
          throw new Refusal(1, `${line} outside of a table`);
        } else if (line === 'COMMIT') {
          if (!args.includes('--test')) this.#tables[backend].set(open.table, open.chains);
          open = undefined;
        } else {
          open.chains.apply(line);
        }
      }
      if (open) throw new Refusal(1, 'COMMIT expected');
    } catch (error) {
      if (error instanceof Refusal) return refused(error.code, error.message);
      throw error;
    }
    if (!args.includes('--test')) this.applied.push({ backend, text: stdin });
    return { code: 0, stdout: '', stderr: '' };
  }

  /** Asking creates it, as in legacy. */
  #table(backend: BackendName, table: Table): ChainSet {
    const chains = this.#tables[backend].get(table) ?? new ChainSet(table);
    this.#tables[backend].set(table, chains);
    return chains;
  }
}

const lockBusy = `Can't lock /run/xtables.lock: Resource temporarily unavailable
Another app is currently holding the xtables lock. Stopped waiting after 5s.`;

function refused(code: number, stderr: string): ExecResult {
  return { code, stdout: '', stderr: `${stderr}\n` };
}

function text(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
