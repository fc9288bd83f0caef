import { parseArgs } from 'node:util';
import { AppError } from '../model/errors.ts';
import type { FlagSpec, FlagTable, FlagValues } from './flag.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads a command line (`--flag=value`, `--flag value`, bare booleans) over the environment over the defaults.
 * Throws AppError `flag-invalid` with one sentence that names the flag, the value and what would do.
 */
export function parseFlags<Table extends FlagTable>(
  table: Table,
  args: readonly string[],
  env: Environment,
): FlagValues<Table> {
  const given = readArguments(table, args);
  const values = Object.entries(table).map(([key, spec]) => {
    const fromEnv = spec.env === undefined ? undefined : env[spec.env];
    const source = given.get(spec.flag);
    if (source !== undefined) return [key, parseValue(spec, source, `--${spec.flag}`)];
    if (fromEnv) return [key, parseValue(spec, fromEnv, `the environment variable ${spec.env}`)];
    return [key, spec.default];
  });
  return Object.freeze(Object.fromEntries(values)) as FlagValues<Table>;
}

function readArguments(table: FlagTable, args: readonly string[]): Map<string, string> {
  const specs = new Map(Object.values(table).map((spec) => [spec.flag, spec]));
  const options = Object.fromEntries(
    [...specs].map(([name, spec]) => [
      name,
      { type: spec.type.bare ? ('boolean' as const) : ('string' as const) },
    ]),
  );
  const long = args.map((arg) => lengthen(arg, specs.values()));
  const { tokens } = parseArgs({ args: long, options, strict: false, tokens: true });
  const given = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional')
      throw invalid(`unexpected argument ${quote(token.value)}: every setting is a --flag`);
    const spec = specs.get(token.name);
    if (!spec) throw invalid(`unknown flag ${token.rawName}${nearest(token.name, specs)}`);
    // No value begins with a dash, so `--node --nmi-port=80` is a value forgotten, not a node of that name.
    const forgotten = token.value === undefined || (!token.inlineValue && token.value.startsWith('-'));
    if (forgotten && !spec.type.bare) {
      throw invalid(`--${spec.flag} needs a value: it takes ${spec.type.expects}`);
    }
    given.set(spec.flag, token.value ?? 'true');
  }
  return given;
}

/** `-v=2`, `-v2` and `-v` as the long flag; parseArgs would read the first as the value `=2`. */
function lengthen(arg: string, specs: Iterable<FlagSpec<unknown>>): string {
  const [, letter, rest = ''] = /^-([a-zA-Z])=?(.*)$/.exec(arg) ?? [];
  const spec = letter && [...specs].find(({ short }) => short === letter);
  if (!spec) return arg;
  return rest === '' ? `--${spec.flag}` : `--${spec.flag}=${rest}`;
}

function parseValue(spec: FlagSpec<unknown>, value: string, source: string): unknown {
  const parsed = spec.type.parse(value);
  if (parsed === undefined) throw invalid(`${source} is ${quote(value)}, but it takes ${spec.type.expects}`);
  return parsed;
}

/** A flag that differs only in dashes or letter case, or begins with the three letters or more given: most typing slips. */
function nearest(name: string, specs: ReadonlyMap<string, unknown>): string {
  const bare = (flag: string): string => flag.toLowerCase().replace(/[-_]/g, '');
  const close = [...specs.keys()].find(
    (flag) => bare(flag) === bare(name) || (name.length > 2 && bare(flag).startsWith(bare(name))),
  );
  return close ? `; did you mean --${close}?` : '; --help lists them all';
}

function quote(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
}

function invalid(message: string): AppError {
  return new AppError('flag-invalid', message);
}
