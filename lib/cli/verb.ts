import type { FlagTable, FlagValues } from '../config/flag.ts';
import { plainName } from '../kube/resources.ts';
import type { Clock } from '../platform/clock.ts';
import {
  apart,
  type CommonValues,
  clusterFlags,
  commonFlags,
  readArguments,
  usageError,
} from './arguments.ts';
import { Cluster } from './cluster.ts';
import type { ExitStatus } from './exit.ts';
import type { Report } from './report.ts';
import { Screen } from './screen.ts';
import type { World } from './world.ts';

export interface VerbSpec<Table extends FlagTable> {
  /** As it is typed: `explain`, `exception add`. */
  readonly name: string;
  /** The words behind it, as the help shows them: `pod/NAME`. */
  readonly words: string;
  /** How many of them there may be. */
  readonly count: readonly [least: number, most: number];
  /** One line, without a full stop. */
  readonly summary: string;
  /** Further lines of its help: examples first. */
  readonly about: string;
  /** Beside the common ones; one of the same key tells what that means here. */
  readonly flags: Table;
  /** It has no --namespace. */
  readonly wholeCluster?: true;
  /** A status alone for what has shown all it had to. Rejects with AppError for what went wrong on the way (status 1; `flag-invalid`: 2). */
  readonly run: (call: Call<Table>) => Promise<Report | ExitStatus>;
}

/** One call of a verb: what was typed, and the doors to the world. */
export interface Call<Table extends FlagTable> {
  readonly flags: FlagValues<Table> & CommonValues;
  readonly words: readonly string[];
  readonly cluster: Cluster;
  readonly screen: Screen;
  readonly clock: Clock;
  /** Told to end. */
  readonly signal: AbortSignal;
  /** All verbs, for those that speak of them. */
  readonly verbs: readonly Verb[];
}

/** A verb of any flags, as the table of verbs holds it. */
export interface Verb extends Omit<VerbSpec<FlagTable>, 'run'> {
  /** Throws AppError `flag-invalid` for arguments that it does not take. */
  readonly call: (args: readonly string[], world: World, verbs: readonly Verb[]) => Promise<number>;
}

/** Checks the flags' types where a verb is written, so that the table needs not know them. */
export function verb<const Table extends FlagTable>(spec: VerbSpec<Table>): Verb {
  const table = { ...(spec.wholeCluster ? clusterFlags : commonFlags), ...spec.flags };
  return {
    ...spec,
    flags: table,
    call: async (args, world, verbs) => {
      if (spec.wholeCluster) refuseNamespace(spec.name, args, table);
      const { flags: values, words } = readArguments(table, args, world.env);
      const flags = values as FlagValues<Table> & CommonValues;
      checkCount(spec, words);
      checkNamespace(flags.namespace ?? '');
      const screen = new Screen(flags.output, world);
      const { clock, signal, stderr } = world;
      const cluster = new Cluster(flags, world, (line) =>
        stderr.isTerminal ? screen.progress(line) : undefined,
      );
      try {
        const report = await spec.run({ flags, words, cluster, screen, clock, signal, verbs });
        if (typeof report === 'number') return report;
        screen.show(report);
        return report.status;
      } finally {
        screen.clear();
        await cluster.close();
      }
    },
  };
}

/** Of all flags the one that hands type everywhere. */
function refuseNamespace(name: string, args: readonly string[], table: FlagTable): void {
  const { flags } = apart(args, { ...table, namespace: commonFlags.namespace });
  if (flags.some((flag) => /^(-n|--namespace(=|$))/.test(flag)))
    throw usageError(`podid ${name} takes no --namespace; podid ${name} --help tells more`);
}

/** Of one that cannot be there, "nothing found" would say nothing. */
function checkNamespace(namespace: string): void {
  if (namespace !== '' && !plainName.test(namespace))
    throw usageError(`--namespace is ${JSON.stringify(namespace)}, which is no name that Kubernetes takes`);
}

function checkCount(
  { name, words: wanted, count }: Pick<VerbSpec<FlagTable>, 'name' | 'words' | 'count'>,
  words: readonly string[],
): void {
  const [least, most] = count;
  const usage = `podid ${[name, wanted].filter(Boolean).join(' ')}`;
  if (words.length < least)
    throw usageError(
      `${usage}: ${wanted.split(' ')[words.length]} is missing; podid ${name} --help tells more`,
    );
  if (words.length > most)
    throw usageError(`${usage}: unexpected ${JSON.stringify(words[most])}; podid ${name} --help tells more`);
}
