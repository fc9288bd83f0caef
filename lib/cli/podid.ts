import { version } from '../config/version.ts';
import { isAppError, messageOf } from '../model/errors.ts';
import { plain } from '../model/text.ts';
import { apart, commonFlags, usageError } from './arguments.ts';
import { exit } from './exit.ts';
import { helpOf, helpOfVerb } from './help.ts';
import type { Verb } from './verb.ts';
import { verbs as allVerbs } from './verbs.ts';
import type { World } from './world.ts';

/** The program: from the command line to the exit status. Never rejects. */
export async function runPodid(
  args: readonly string[],
  world: World,
  verbs: readonly Verb[] = allVerbs,
): Promise<number> {
  try {
    return await run(args, world, verbs);
  } catch (error) {
    if (world.signal.aborted) return exit.unknown;
    world.stderr.write(`podid: ${plain(messageOf(error))}\n`);
    return isAppError(error, 'flag-invalid') ? exit.usage : exit.unknown;
  }
}

async function run(args: readonly string[], world: World, verbs: readonly Verb[]): Promise<number> {
  const { flags, words } = apart(args, commonFlags);
  const named = words[0] === 'help' ? words.slice(1) : words;
  const found = verbNamed(named, verbs);
  const asksHelp = words[0] === 'help' || flags.some((flag) => /^(--help|-h)($|=(?!false))/.test(flag));
  if (flags.includes('--version') || words[0] === 'version') {
    world.stdout.write(`podid ${version}\n`);
    return exit.ok;
  }
  const group = found ? [] : verbsUnder(named, verbs);
  if (found && !asksHelp) return found.call(without(args, found.name), world, verbs);
  if (!found && group.length === 0 && named.length > 0) throw unknownVerb(named, verbs);
  if (found || group.length > 0 || asksHelp || flags.length === 0) {
    world.stdout.write(found ? helpOfVerb(found) : helpOf(group.length > 0 ? group : verbs));
    return exit.ok;
  }
  throw usageError(`unknown flag ${flags[0]}; podid --help lists all`);
}

/** `podid exception add`, `update` … for the word `exception` alone. */
function verbsUnder(words: readonly string[], verbs: readonly Verb[]): readonly Verb[] {
  return words.length === 1 ? verbs.filter(({ name }) => name.startsWith(`${words[0]} `)) : [];
}

function unknownVerb([first = '', ...rest]: readonly string[], verbs: readonly Verb[]): Error {
  const isGroup = verbsUnder([first], verbs).length > 0;
  const name = isGroup ? [first, rest[0]].join(' ') : first;
  return usageError(`unknown verb ${name || "''"}; podid ${isGroup ? `${first} ` : ''}--help lists all`);
}

/** The verb with the most words of those at the beginning. */
function verbNamed(words: readonly string[], verbs: readonly Verb[]): Verb | undefined {
  const fits = ({ name }: Verb): boolean => name.split(' ').every((word, i) => words[i] === word);
  return verbs.filter(fits).toSorted((a, b) => b.name.length - a.name.length)[0];
}

/** The arguments but for the words of the verb; flags may stand in front of and between them. */
function without(args: readonly string[], name: string): string[] {
  const left = [...args];
  for (const word of name.split(' ')) left.splice(left.indexOf(word), 1);
  return left;
}
