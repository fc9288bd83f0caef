import { type ChainPlace, chainLines, type OwnChain } from './rules.ts';

/** What the kernel shows of one chain of ours, as `iptables -S` lines. */
export interface ChainSeen {
  /** The chain itself; undefined when there is none. */
  readonly lines: readonly string[] | undefined;
  /** Every rule that leads to it, in the kernel's order. */
  readonly jumps: readonly string[];
}

/** How what stands differs from what should. `hook` is the chain that the jump belongs in. */
export type Difference =
  | { readonly kind: 'chain-missing' }
  | { readonly kind: 'chain-changed'; readonly found: readonly string[] }
  | { readonly kind: 'jump-missing'; readonly hook: string }
  | { readonly kind: 'jump-changed'; readonly hook: string; readonly found: readonly string[] };

/** The rules among `lines` that lead to the chain `name`, whatever else they match. */
export function jumpsTo(name: string, lines: readonly string[]): readonly string[] {
  return lines.filter((line) => line.startsWith('-A ') && / -[jg] (\S+)$/.exec(line)?.[1] === name);
}

/** What is wrong, empty when all is as it should be. A jump's place in its hook is not judged, only that it is there once. */
export function compare(chain: OwnChain, seen: ChainSeen): readonly Difference[] {
  return [
    ...compareChain(chain, seen),
    ...chain.hooks.flatMap((hook) => compareJump(chain.name, hook, seen)),
  ];
}

function compareChain(chain: OwnChain, { lines }: ChainSeen): readonly Difference[] {
  if (!lines) return [{ kind: 'chain-missing' }];
  return lines.join('\n') === chainLines(chain).join('\n') ? [] : [{ kind: 'chain-changed', found: lines }];
}

function compareJump(name: string, hook: string, seen: ChainSeen): readonly Difference[] {
  const found = jumpsFrom(hook, seen);
  if (found.length === 0) return [{ kind: 'jump-missing', hook }];
  return found.length === 1 && found[0] === `-A ${hook} -j ${name}`
    ? []
    : [{ kind: 'jump-changed', hook, found }];
}

function jumpsFrom(hook: string, { jumps }: ChainSeen): readonly string[] {
  return jumps.filter((jump) => jump.startsWith(`-A ${hook} `));
}

/**
 * The text for `iptables-restore --noflush` that makes the chain and its jumps what they should be, in one step without
 * a moment in which a packet finds neither. A `-D` of something absent fails the whole text, hence `seen`.
 */
export function repairText(chain: OwnChain, seen: ChainSeen): string {
  const moves = chain.hooks.flatMap((hook) =>
    compareJump(chain.name, hook, seen).length === 0
      ? []
      : [...jumpsFrom(hook, seen).map(asDelete), `-I ${hook} 1 -j ${chain.name}`],
  );
  // The `:CHAIN` line creates the chain or empties it.
  return restoreText(chain.table, [`:${chain.name} - [0:0]`, ...chainLines(chain).slice(1), ...moves]);
}

/** The text that removes the jumps that were seen and leaves the chain. */
export function unhookText({ table }: ChainPlace, { jumps }: ChainSeen): string {
  return restoreText(table, jumps.map(asDelete));
}

/** The text that removes the jumps that were seen, and then the chain. */
export function removeText({ table, name }: ChainPlace, seen: ChainSeen): string {
  // Named first, so that the text holds also when the chain went away in between.
  return restoreText(table, [`:${name} - [0:0]`, ...seen.jumps.map(asDelete), `-X ${name}`]);
}

export function restoreText(table: string, lines: readonly string[]): string {
  return [`*${table}`, ...lines, 'COMMIT', ''].join('\n');
}

/** `-A …` as `-S` prints it deletes the first rule that equals it. */
function asDelete(line: string): string {
  return line.replace(/^-A /, '-D ');
}
