import type { FlagSpec } from '../../config/flag.ts';
import type { Verb } from '../verb.ts';

/** A verb as a shell has to know it. */
interface Known {
  /** `exception add` */
  readonly name: string;
  /** The words that may stand behind it, where they are a few that are known: `bash`, `zsh`. */
  readonly choices: readonly string[];
  readonly summary: string;
  /** `--name=`, `--watch`; with `=` where a value follows. */
  readonly flags: readonly string[];
}

/** A script that completes verbs and flags in bash. It runs nothing, so that Tab never waits for a cluster. */
export function bashCompletion(verbs: readonly Verb[]): string {
  const known = verbs.map(knownOf);
  return `# podid's completion for bash:  source <(podid completion bash)
_podid() {
  local cur=\${COMP_WORDS[COMP_CWORD]} words='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in -* | =) continue ;; esac
    case \${COMP_WORDS[i - 1]} in = | ${valued(verbs)}) continue ;; esac
    words="\${words:+$words }\${COMP_WORDS[i]}"
  done
  local next='' flags=''
  case $words in
${nextRows(known)}
  esac
  case $words in
${flagRows(known)}
  esac
  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$cur")
    if [[ \${COMPREPLY[0]-} == *= ]]; then compopt -o nospace; fi
  else
    mapfile -t COMPREPLY < <(compgen -W "$next" -- "$cur")
  fi
}
complete -F _podid podid kubectl-podid
`;
}

/** The same for zsh, with a line about each verb. */
export function zshCompletion(verbs: readonly Verb[]): string {
  const known = verbs.map(knownOf);
  return `#compdef podid kubectl-podid
# podid's completion for zsh:  source <(podid completion zsh)
_podid() {
  local -a next flags typed
  local i
  for ((i = 2; i < CURRENT; i++)); do
    case \${words[i]} in -*) continue ;; esac
    case \${words[i - 1]} in ${valued(verbs)}) continue ;; esac
    typed+=(\${words[i]})
  done
  case "\${typed[*]}" in
${zshRows(known)}
  esac
  case "\${typed[*]}" in
${zshFlagRows(known)}
  esac
  if [[ $PREFIX == -* ]]; then
    compadd -S '' -- \${(M)flags:#*=}
    compadd -- \${flags:#*=}
  else
    _describe verb next
  fi
}
if [[ \${funcstack[1]} == _podid ]]; then _podid; else compdef _podid podid kubectl-podid; fi
`;
}

function knownOf({ name, words: behind, summary, flags }: Verb): Known {
  const words = Object.values(flags).map(
    ({ flag, type }: FlagSpec<unknown>) => `--${flag}${type.bare ? '' : '='}`,
  );
  const choices = /^[a-z]+(\|[a-z]+)+$/.test(behind) ? behind.split('|') : [];
  return { name, choices, summary, flags: words.sort() };
}

/** The flags whose value may be the next word, which then is no verb, as a pattern of the shell. */
function valued(verbs: readonly Verb[]): string {
  const specs = verbs.flatMap(({ flags }) => Object.values(flags)).filter(({ type }) => !type.bare);
  const names = specs.flatMap(({ flag, short }) => (short ? [`--${flag}`, `-${short}`] : [`--${flag}`]));
  return [...new Set(names)].sort().join(' | ');
}

/** What may follow each beginning, with a line about it: `` → all first words, `exception` → add, update … */
function followers(known: readonly Known[]): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const after = new Map<string, Map<string, string>>();
  const put = (begun: string, word: string, line: string): void => {
    after.set(begun, (after.get(begun) ?? new Map<string, string>()).set(word, line));
  };
  for (const { name, choices, summary } of known) {
    const [group = '', second] = name.split(' ');
    if (second === undefined) put('', group, summary);
    else put(group, second, summary);
    for (const choice of choices) put(name, choice, choice);
  }
  for (const [group, next] of [...after])
    if (group !== '' && !known.some(({ name }) => name === group))
      put('', group, [...next.keys()].join(', '));
  return after;
}

function nextRows(known: readonly Known[]): string {
  return [...followers(known)]
    .map(([begun, next]) => `    '${begun}') next='${[...next.keys()].join(' ')}' ;;`)
    .join('\n');
}

/** The longest names first: `exception add` begins with `exception`. */
function flagRows(known: readonly Known[]): string {
  return longestFirst(known)
    .map(({ name, flags }) => `    '${name}'*) flags='${flags.join(' ')}' ;;`)
    .join('\n');
}

function zshRows(known: readonly Known[]): string {
  return [...followers(known)]
    .map(([begun, next]) => `    '${begun}') next=(${[...next].map(described).join(' ')}) ;;`)
    .join('\n');
}

function zshFlagRows(known: readonly Known[]): string {
  return longestFirst(known)
    .map(({ name, flags }) => `    '${name}'*) flags=(${flags.join(' ')}) ;;`)
    .join('\n');
}

function longestFirst(known: readonly Known[]): readonly Known[] {
  return known.toSorted((a, b) => b.name.length - a.name.length);
}

/** `verb:what it does`, in single quotes of the shell. */
function described([word, summary]: readonly [string, string]): string {
  return `'${word}:${summary.replaceAll("'", "'\\''")}'`;
}
