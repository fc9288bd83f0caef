import { type FlagSpec, type FlagTable, type FlagType, type FlagValues, flag } from '../config/flag.ts';
import { type Environment, parseFlags } from '../config/parse.ts';
import { bool, choice, text } from '../config/types.ts';
import { AppError } from '../model/errors.ts';

/** Every verb has these; their names are kubectl's. */
export const commonFlags = {
  kubeconfig: flag({
    flag: 'kubeconfig',
    env: 'KUBECONFIG',
    type: text,
    default: '',
    help: "file with the connection to Kubernetes; ~/.kube/config unless given, and in a pod the service account's",
  }),
  context: flag({
    flag: 'context',
    type: text,
    default: '',
    help: 'context of that file, if not its current one',
  }),
  namespace: flag({
    flag: 'namespace',
    short: 'n',
    type: text,
    default: '',
    help: "namespace; the context's unless given, else `default`",
  }),
  output: flag({
    flag: 'output',
    short: 'o',
    type: choice('text', 'json', 'yaml'),
    default: 'text',
    help: '`text` for people; `json` or `yaml` for programs',
  }),
  help: flag({ flag: 'help', short: 'h', type: bool, default: false, help: 'print this and exit' }),
};

const { namespace: _, ...clusterFlags } = commonFlags;

/** Those of verbs that look at the whole cluster: a namespace that is named would be passed over. */
export { clusterFlags };

export type CommonValues = FlagValues<typeof commonFlags>;

/** For verbs that look at one namespace unless told otherwise. */
export const allNamespaces = flag({
  flag: 'all-namespaces',
  short: 'A',
  type: bool,
  default: false,
  help: 'all namespaces',
});

/** As kubectl's, which takes it bare, too. */
const dryRun: FlagType<boolean> = {
  expects: 'client or none',
  shown: (value) => (value ? 'client' : 'none'),
  parse: (value) => (value === 'client' ? true : value === 'none' ? false : bool.parse(value)),
  bare: true,
};

export function dryRunFlag(help: string): FlagSpec<boolean> {
  return flag({ flag: 'dry-run', type: dryRun, default: false, help });
}

export interface Arguments<Table extends FlagTable> {
  readonly flags: FlagValues<Table>;
  /** What is no flag, in its order. */
  readonly words: readonly string[];
}

/** Flags and words in any order; behind `--` all are words. Throws AppError `flag-invalid`. */
export function readArguments<Table extends FlagTable>(
  table: Table,
  args: readonly string[],
  env: Environment,
): Arguments<Table> {
  const { flags, words } = apart(args, table);
  return { flags: parseFlags(table, flags, env), words };
}

/** Flags with their values, and the rest. What is wrong with a flag is the parser's to say. */
export function apart(
  args: readonly string[],
  table: FlagTable,
): { readonly flags: readonly string[]; readonly words: readonly string[] } {
  const flags: string[] = [];
  const words: string[] = [];
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--') {
      words.push(...rest.splice(0));
    } else if (/^-./.test(arg)) {
      flags.push(arg);
      if (takesNext(arg, table) && rest.length > 0) flags.push(rest.shift() ?? '');
    } else {
      words.push(arg);
    }
  }
  return { flags, words };
}

/** `--flag` and `-f`, unless the value is in the same word or the flag stands alone. */
function takesNext(arg: string, table: FlagTable): boolean {
  const spec = Object.values(table).find(({ flag, short }) => arg === `--${flag}` || arg === `-${short}`);
  return spec !== undefined && !spec.type.bare;
}

/** One sentence about what was typed. */
export function usageError(message: string): AppError {
  return new AppError('flag-invalid', message);
}
