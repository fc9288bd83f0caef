import { flag } from '../../config/flag.ts';
import { bool, duration, text } from '../../config/types.ts';
import { dryRunFlag, usageError } from '../arguments.ts';

/** In the words of `az aks pod-identity`. */
export const nameFlag = flag({ flag: 'name', type: text, default: '', help: 'its name; may stand alone' });

export const dryRun = dryRunFlag(
  'make nothing and ask no cluster; with `-o yaml` the objects, for kubectl apply',
);

export const overwriteFlag = flag({
  flag: 'overwrite',
  type: bool,
  default: false,
  help: 'change an object of that name that says something else',
});

export const waitFlags = {
  wait: flag({
    flag: 'wait',
    type: bool,
    default: true,
    help: 'return when no pod has it any more; --wait=false: at once',
  }),
  timeout: flag({
    flag: 'timeout',
    type: duration(1_000, 3_600_000),
    default: 600_000,
    help: 'how long to wait',
  }),
};

/** `--name demo`, or the one word behind the verb. Throws AppError `flag-invalid` for two that differ. */
export function nameIn(flags: { readonly name: string }, words: readonly string[]): string {
  const [word] = words;
  if (word !== undefined && flags.name !== '' && flags.name !== word)
    throw usageError(`--name says ${JSON.stringify(flags.name)}, and ${JSON.stringify(word)} stands alone`);
  return word ?? flags.name;
}
