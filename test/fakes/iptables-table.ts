import type { Table } from '../../lib/redirect/rules.ts';

/** The program's exit status and words for something that it or the kernel does not take. */
export class Refusal extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

const builtIn: Readonly<Record<Table, readonly string[]>> = {
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
};

/** The chains of one table in memory, spoken to in lines of `iptables-restore`. Rules are kept as text. */
export class ChainSet {
  readonly #table: Table;
  #chains: Map<string, string[]>;

  constructor(table: Table) {
    if (!builtIn[table]) throw new Refusal(3, `can't initialize iptables table \`${table}'`);
    this.#table = table;
    this.#chains = new Map(builtIn[table].map((name) => [name, []]));
  }

  copy(): ChainSet {
    const twin = new ChainSet(this.#table);
    twin.#chains = new Map([...this.#chains].map(([name, rules]) => [name, [...rules]]));
    return twin;
  }

  /** One line of a restore text. Throws Refusal. */
  apply(line: string): void {
    const [, declared] = /^:(\S+) - \[0:0\]$/.exec(line) ?? [];
    if (declared !== undefined) return void this.#chains.set(declared, []);
    const [, verb, name, rest = ''] = /^-([AIDFX]) (\S+)(?: (.*))?$/.exec(line) ?? [];
    if (!verb || !name) throw new Refusal(2, `Bad argument \`${line}'`);
    const rules = this.#chains.get(name);
    if (!rules) throw new Refusal(1, 'No chain/target/match by that name.');
    if (verb === 'F') rules.length = 0;
    else if (verb === 'X') this.#remove(name, rules);
    else this.#change(verb, rules, rest);
  }

  list(): string[] {
    const own = [...this.#chains.keys()].filter((name) => !this.#isBuiltIn(name));
    const policies = builtIn[this.#table].map((name) => `-P ${name} ACCEPT`);
    const rules = [...this.#chains].flatMap(([name, lines]) => lines.map((rule) => `-A ${name} ${rule}`));
    return [...policies, ...own.map((name) => `-N ${name}`), ...rules];
  }

  listChain(name: string): string[] | undefined {
    const rules = this.#chains.get(name)?.map((rule) => `-A ${name} ${rule}`);
    return rules && [this.#isBuiltIn(name) ? `-P ${name} ACCEPT` : `-N ${name}`, ...rules];
  }

  #change(verb: string, rules: string[], rest: string): void {
    const [, position = '1', rule = rest] = (verb === 'I' && /^(\d+) (.*)$/.exec(rest)) || [];
    this.#know(rule);
    if (verb === 'A') rules.push(rule);
    else if (verb === 'I') this.#insert(rules, Number(position), rule);
    else if (!rules.includes(rule))
      throw new Refusal(1, 'Bad rule (does a matching rule exist in that chain?).');
    else rules.splice(rules.indexOf(rule), 1);
  }

  #insert(rules: string[], position: number, rule: string): void {
    if (position > rules.length + 1) throw new Refusal(1, 'Index of insertion too big.');
    rules.splice(position - 1, 0, rule);
  }

  #remove(name: string, rules: readonly string[]): void {
    if (this.#isBuiltIn(name)) throw new Refusal(1, "can't delete a built-in chain");
    if (rules.length > 0) throw new Refusal(1, 'Directory not empty.');
    const used = [...this.#chains.values()].flat().some((rule) => targetOf(rule) === name);
    if (used) throw new Refusal(4, `CHAIN_DEL failed (Device or resource busy): chain ${name}`);
    this.#chains.delete(name);
  }

  /** Matches and targets must be known, and a chain that is jumped to must be there, even to delete the jump. */
  #know(rule: string): void {
    const match = [...rule.matchAll(/-m (\S+)/g)].find(
      ([, name = '']) => !['tcp', 'conntrack', 'comment', 'addrtype'].includes(name),
    );
    if (match) throw new Refusal(2, `Couldn't load match \`${match[1]}':No such file or directory`);
    const target = targetOf(rule);
    const ends = ['ACCEPT', 'DROP', 'RETURN', ...(this.#table === 'nat' ? ['DNAT'] : [])];
    if (target && !ends.includes(target) && (!this.#chains.has(target) || this.#isBuiltIn(target))) {
      throw new Refusal(2, `Couldn't load target \`${target}':No such file or directory`);
    }
  }

  #isBuiltIn(name: string): boolean {
    return builtIn[this.#table].includes(name);
  }
}

function targetOf(rule: string): string | undefined {
  return /(?:^| )-[jg] (\S+)/.exec(rule)?.[1];
}
