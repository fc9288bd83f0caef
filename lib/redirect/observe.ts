import { type ChainSeen, jumpsTo, type Seen } from './compare.ts';
import type { Iptables, Listed, Unknown } from './iptables.ts';
import type { ChainPlace, Table } from './rules.ts';

/** What stands of one chain of ours, or that it could not be told; the second must change nothing. */
export type Observation = { readonly kind: 'seen'; readonly seen: Seen } | Unknown;

/** A table with more lines is asked chain by chain. */
const large = 500;

/**
 * Looks at a chain of ours and at what leads to it. Each call of iptables costs about 3 ms of CPU, most of it for the process;
 * a whole table with 5,000 rules costs ten times that, a chain of it nothing more (measured, nft; legacy reads the whole table
 * anyway, 8 ms). So: one call, until the table was once too large or not to be printed whole; from then on one for each chain, all
 * of them at once.
 */
export class Observer {
  readonly #byChain = new Set<Table>();

  async observe(iptables: Iptables, place: ChainPlace): Promise<Observation> {
    if (this.#byChain.has(place.table)) return observeChains(iptables, place);
    const listed = await iptables.list(place.table);
    if (listed.kind === 'unknown') return listed;
    if (listed.kind !== 'lines' || listed.lines.length > large) this.#byChain.add(place.table);
    // Somebody else's rules make the table unprintable as a whole; single chains still print.
    if (listed.kind !== 'lines') return observeChains(iptables, place);
    return { kind: 'seen', seen: seenIn(listed.lines, place) };
  }
}

/** The chain, its jumps from wherever, and what stands in front of them, in the lines of a whole table. */
function seenIn(table: readonly string[], { name, hooks }: ChainPlace): Seen {
  const lines = table.filter((line) => line === `-N ${name}` || line.startsWith(`-A ${name} `));
  return {
    lines: lines.length > 0 ? lines : undefined,
    jumps: jumpsTo(name, table),
    front: Object.fromEntries(hooks.map((hook) => [hook, frontOf(name, hook, table)])),
  };
}

async function observeChains(iptables: Iptables, { table, name, hooks }: ChainPlace): Promise<Observation> {
  const listed = await Promise.all([name, ...hooks].map((chain) => iptables.list(table, chain)));
  const [own, ...others] = listed;
  const unknown = listed.find((one) => one.kind === 'unknown');
  if (unknown) return unknown;
  // A built-in chain is always there, so anything but lines is an answer that we cannot read.
  const unread = hooks.find((_, at) => others[at]?.kind !== 'lines');
  if (unread !== undefined)
    return { kind: 'unknown', why: `only nft can show ${unread} of ${table}`, passing: false };
  const linesOf = (one: Listed | undefined): readonly string[] => (one?.kind === 'lines' ? one.lines : []);
  const seen = {
    lines: own?.kind === 'lines' ? own.lines : undefined,
    jumps: others.flatMap((one) => jumpsTo(name, linesOf(one))),
    front: Object.fromEntries(hooks.map((hook, at) => [hook, frontOf(name, hook, linesOf(others[at]))])),
  };
  return { kind: 'seen', seen };
}

function frontOf(name: string, hook: string, lines: readonly string[]): readonly string[] {
  const rules = lines.filter((line) => line.startsWith(`-A ${hook} `));
  const first = rules.findIndex((line) => jumpsTo(name, [line]).length > 0);
  return first === -1 ? [] : rules.slice(0, first);
}

/** Everything that leads to the chain, also from places that are not ours: a jump left there would hold the chain. */
export async function observeAll(iptables: Iptables, place: ChainPlace): Promise<ChainSeen | Unknown> {
  const listed = await iptables.list(place.table);
  if (listed.kind === 'unknown') return listed;
  if (listed.kind === 'lines') return seenIn(listed.lines, place);
  const observed = await observeChains(iptables, place);
  return observed.kind === 'unknown' ? observed : observed.seen;
}
