import { couldTake } from './front.ts';
import { type ChainPlace, chainLines, type OwnChain, ownerIn } from './rules.ts';

/** What the kernel shows of one chain of ours, as `iptables -S` lines. */
export interface ChainSeen {
  /** The chain itself; undefined when there is none. */
  readonly lines: readonly string[] | undefined;
  /** Every rule that leads to it, in the kernel's order. */
  readonly jumps: readonly string[];
}

export interface Seen extends ChainSeen {
  /** By hook, the rules that a packet meets before it comes to our jump. */
  readonly front: Readonly<Record<string, readonly string[]>>;
}

/** How what stands differs from what should. `hook` is the chain that the jump belongs in. */
export type Difference =
  | { readonly kind: 'chain-missing' }
  | { readonly kind: 'chain-changed'; readonly found: readonly string[] }
  | { readonly kind: 'jump-missing'; readonly hook: string }
  | { readonly kind: 'jump-changed'; readonly hook: string; readonly found: readonly string[] }
  /** Rules in front could take the packet. */
  | { readonly kind: 'jump-behind'; readonly hook: string; readonly rivals: readonly string[] };

/** The rules among `lines` that lead to the chain `name`, whatever else they match. */
export function jumpsTo(name: string, lines: readonly string[]): readonly string[] {
  return lines.filter((line) => line.startsWith('-A ') && / -[jg] (\S+)$/.exec(line)?.[1] === name);
}

/** What is wrong, empty when all is as it should be. */
export function compare(chain: OwnChain, seen: Seen): readonly Difference[] {
  return [...compareChain(chain, seen), ...chain.hooks.flatMap((hook) => compareJump(chain, hook, seen))];
}

function compareChain(chain: OwnChain, { lines }: ChainSeen): readonly Difference[] {
  if (!lines) return [{ kind: 'chain-missing' }];
  return lines.join('\n') === chainLines(chain).join('\n') ? [] : [{ kind: 'chain-changed', found: lines }];
}

function compareJump({ table, name, packets }: OwnChain, hook: string, seen: Seen): readonly Difference[] {
  const found = jumpsFrom(hook, seen);
  if (found.length === 0) return [{ kind: 'jump-missing', hook }];
  if (found.length > 1 || found[0] !== `-A ${hook} -j ${name}`)
    return [{ kind: 'jump-changed', hook, found }];
  const mine = packets.filter((packet) => packet.hook === hook);
  const takes = (rule: string): boolean => mine.some((packet) => couldTake(rule, table, packet));
  const rivals = (seen.front[hook] ?? []).filter(takes);
  return rivals.length === 0 ? [] : [{ kind: 'jump-behind', hook, rivals }];
}

function jumpsFrom(hook: string, { jumps }: ChainSeen): readonly string[] {
  return jumps.filter((jump) => jump.startsWith(`-A ${hook} `));
}

/**
 * The text for `iptables-restore --noflush` that mends the differences, in one step without a moment in which a packet finds
 * neither chain nor jump. A `-D` of something absent fails the whole text, hence `seen`.
 */
export function repairText(chain: OwnChain, seen: ChainSeen, differences: readonly Difference[]): string {
  const hooks = differences.flatMap((difference) => ('hook' in difference ? [difference.hook] : []));
  const moves = hooks.flatMap((hook) => [
    ...jumpsFrom(hook, seen).map(asDelete),
    `-I ${hook} 1 -j ${chain.name}`,
  ]);
  // The `:CHAIN` line creates the chain or empties it.
  return restoreText(chain.table, [`:${chain.name} - [0:0]`, ...chainLines(chain).slice(1), ...moves]);
}

/** The text that makes the chain where there is nothing of it. */
export function installText(chain: OwnChain): string {
  const nothing = { lines: undefined, jumps: [], front: {} };
  return repairText(chain, nothing, compare(chain, nothing));
}

/** The text that removes the jumps that were seen and leaves the chain. Fails when the chain got another owner since. */
export function unhookText({ table }: ChainPlace, seen: ChainSeen): string {
  const marked = markedIn(seen);
  return restoreText(table, [...marked.map(asDelete), ...marked, ...seen.jumps.map(asDelete)]);
}

/** The text that removes the jumps that were seen, and then the chain. Fails when the chain got another owner since. */
export function removeText({ table, name }: ChainPlace, seen: ChainSeen): string {
  const marked = markedIn(seen);
  // Where nobody's mark is at stake, the text holds also when the chain went away in between.
  const emptied = marked.length > 0 ? [...marked.map(asDelete), `-F ${name}`] : [`:${name} - [0:0]`];
  return restoreText(table, [...emptied, ...seen.jumps.map(asDelete), `-X ${name}`]);
}

/**
 * The rules that name an agent. Deleting one is how a text makes sure that it is still there: `-C` does not, since
 * iptables-nft does not look again when the kernel tells it that the rules have changed meanwhile.
 */
function markedIn({ lines = [] }: ChainSeen): readonly string[] {
  return lines.filter((line) => line.startsWith('-A ') && ownerIn([line]) !== undefined);
}

export function restoreText(table: string, lines: readonly string[]): string {
  return [`*${table}`, ...lines, 'COMMIT', ''].join('\n');
}

/** `-A …` as `-S` prints it deletes the first rule that equals it. */
function asDelete(line: string): string {
  return line.replace(/^-A /, '-D ');
}
