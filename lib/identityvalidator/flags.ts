import { type FlagValues, flag } from '../config/flag.ts';
import { klogFlags } from '../config/klog-flags.ts';
import { type Environment, parseFlags } from '../config/parse.ts';
import { bool, text } from '../config/types.ts';
import { AppError } from '../model/errors.ts';

/** The original's flags. */
export const validatorFlags = {
  sleep: flag({
    flag: 'sleep',
    type: bool,
    default: false,
    help: 'check nothing and wait, so that the tester can be run in this pod with kubectl exec',
  }),
  subscriptionId: flag({
    flag: 'subscription-id',
    type: text,
    default: '',
    help: "the original's; without effect there, and here",
  }),
  clientId: flag({
    flag: 'identity-client-id',
    type: text,
    default: '',
    help: 'client id of an identity that the pod must get tokens of; not checked unless given',
  }),
  resourceId: flag({
    flag: 'identity-resource-id',
    type: text,
    default: '',
    help: 'the same by the ARM id of a managed identity',
  }),
  vaultName: flag({
    flag: 'keyvault-name',
    type: text,
    default: '',
    help: 'Key Vault that these identities must read a secret of; unless given, a token is all that is asked for',
  }),
  secretName: flag({ flag: 'keyvault-secret-name', type: text, default: '', help: 'name of that secret' }),
  secretVersion: flag({
    flag: 'keyvault-secret-version',
    type: text,
    default: '',
    help: 'its version; the current one unless given',
  }),
  secretValue: flag({
    flag: 'keyvault-secret-value',
    type: text,
    default: 'test-value',
    help: 'what it must hold; never printed',
  }),
  help: flag({ flag: 'help', type: bool, default: false, help: 'print the flags and exit' }),
  ...klogFlags,
  version: flag({ flag: 'version', type: bool, default: false, help: 'print the version and exit' }),
};

export type ValidatorConfig = FlagValues<typeof validatorFlags>;

/** The whole configuration, frozen. Throws AppError `flag-invalid`, one sentence; `--help` and `--version` are never refused. */
export function loadValidatorConfig(args: readonly string[], env: Environment): ValidatorConfig {
  const asked = args.filter((arg) => arg === '--help' || arg === '--version');
  if (asked.length > 0) return parseFlags(validatorFlags, asked, {});
  const config = parseFlags(validatorFlags, args, env);
  const { vaultName, secretName } = config;
  // The name becomes a host, and a token is sent there.
  if (vaultName !== '' && !/^[a-z0-9-]{3,24}$/i.test(vaultName))
    throw invalid('--keyvault-name is no name of a vault: it takes 3 to 24 letters, digits and dashes');
  if ((vaultName === '') !== (secretName === ''))
    throw invalid('--keyvault-name and --keyvault-secret-name go together, and one is missing');
  return config;
}

function invalid(message: string): AppError {
  return new AppError('flag-invalid', message);
}
