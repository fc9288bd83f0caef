import type { Exec, ExecResult } from '../../lib/platform/exec.ts';

type Row = Readonly<Record<string, unknown>>;

/**
 * The kernel's routing rules, behind `ip`. Understands only what the product and its tests say, refuses what the kernel refuses,
 * in its words, and does not keep two rules that differ in nothing but where they jump to.
 */
export class FakeIpRules {
  #rows: readonly Row[] = [
    { priority: 0, src: 'all', table: '255' },
    { priority: 32766, src: 'all', table: '254' },
    { priority: 32767, src: 'all', table: '253' },
  ];
  /** The changes asked for, a line each. */
  readonly changes: string[] = [];
  /** While set, this is the answer to what begins so, arguments or line. */
  trouble: { readonly to: string; readonly answer: ExecResult | Error } | undefined;

  readonly exec: Exec = async (file, args, { stdin = '' }) => {
    const command = [file, ...args].join(' ');
    const troubled = this.#troubled(command);
    if (troubled) return troubled;
    if (command === 'ip -4 -N -j rule show')
      return { code: 0, stdout: JSON.stringify(this.#shown()), stderr: '' };
    if (command !== 'ip -4 -batch -') throw new Error(`not understood: ${command}`);
    return this.#batch(stdin.split('\n').filter((line) => line !== ''));
  };

  /** As `ip -batch` does: up to the first line that fails. */
  #batch(lines: readonly string[]): ExecResult {
    for (const [index, line] of lines.entries()) {
      this.changes.push(line);
      const troubled = this.#troubled(line);
      const refused = troubled ? troubled.stderr : this.#take(line);
      if (refused === undefined) continue;
      return { code: 1, stdout: '', stderr: `${refused}\nCommand failed -:${index + 1}\n` };
    }
    return { code: 0, stdout: '', stderr: '' };
  }

  #take(line: string): string | undefined {
    const [, verb = '', rest = ''] = /^rule (add|flush) (.+)$/.exec(line) ?? [];
    const row = rowOf(rest.split(' '));
    return verb === 'add' ? this.#add(row) : void this.#flush(row);
  }

  #add(row: Row): string | undefined {
    if (typeof row.goto === 'number' && row.goto <= Number(row.priority))
      return 'Error: Backward goto not supported.';
    if (this.#rows.some((one) => withoutTarget(one) === withoutTarget(row)))
      return 'RTNETLINK answers: File exists';
    this.#rows = [...this.#rows, row].sort((a, b) => Number(a.priority) - Number(b.priority));
    return undefined;
  }

  #flush({ priority, protocol }: Row): void {
    if (priority === undefined || protocol === undefined) throw new Error('would flush what is not ours');
    this.#rows = this.#rows.filter((row) => row.priority !== priority || row.protocol !== protocol);
  }

  #shown(): readonly Row[] {
    const unresolved = (row: Row): boolean =>
      'goto' in row && !this.#rows.some(({ priority }) => priority === row.goto);
    return this.#rows.map((row) => (unresolved(row) ? { ...row, unresolved: null } : row));
  }

  #troubled(command: string): ExecResult | undefined {
    if (this.trouble === undefined || !command.startsWith(this.trouble.to)) return undefined;
    if (this.trouble.answer instanceof Error) throw this.trouble.answer;
    return this.trouble.answer;
  }
}

/** What `ip rule add` is told, as it shows it. */
function rowOf(words: readonly string[]): Row {
  const row: Record<string, unknown> = { src: 'all' };
  const queue = [...words];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word === 'nop') row.nop = null;
    else if (word === 'blackhole') row.action = '6';
    else take(row, word, queue.shift() ?? '');
  }
  if (row.priority === undefined) throw new Error(`not understood: ${words.join(' ')}`);
  return row;
}

function take(row: Record<string, unknown>, word: string, value: string): void {
  if (word === 'pref') row.priority = Number(value);
  else if (word === 'goto') row.goto = Number(value);
  else if (word === 'protocol' || word === 'iif') row[word] = value;
  else if (word === 'lookup') row.table = value;
  else if (word === 'from') row.src = value;
  else if (word === 'to' && value.endsWith('/32')) row.dst = value.slice(0, -3);
  else if (word === 'ipproto' && value === 'tcp') row.ipproto = 'ipproto-6';
  else throw new Error(`not understood: ${word} ${value}`);
}

function withoutTarget({ goto: target, ...rest }: Row): string {
  const action = target === undefined ? rest : { ...rest, goes: true };
  return JSON.stringify(Object.entries(action).sort(([a], [b]) => (a < b ? -1 : 1)));
}
