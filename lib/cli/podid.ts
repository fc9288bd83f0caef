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
  const found = verbNamed(words[0] === 'help' ? words.slice(1) : words, verbs);
  const asksHelp = words[0] === 'help' || flags.includes('--help') || flags.includes('-h');
  if (found && !asksHelp) return found.call(without(args, found.name), world, verbs);
  if (found || asksHelp || args.length === 0) {
    world.stdout.write(found ? helpOfVerb(found) : helpOf(verbs));
    return exit.ok;
  }
  if (flags.includes('--version') || words[0] === 'version') {
    world.stdout.write(`podid ${version}\n`);
    return exit.ok;
  }
  const [first = ''] = words.length > 0 ? words : args;
  throw usageError(`unknown ${words.length > 0 ? 'verb' : 'flag'} ${first}; podid --help lists all`);
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
