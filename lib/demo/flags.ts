import { type FlagValues, flag } from '../config/flag.ts';
import { klogFlags } from '../config/klog-flags.ts';
import { type Environment, parseFlags } from '../config/parse.ts';
import { bool, duration, int, optional, text } from '../config/types.ts';

const day = 86_400;

/** The flags of the demo that the AKS documentation describes (1.6.3); {@link laterNames} are those of its successors. */
export const demoFlags = {
  subscriptionId: flag({
    flag: 'subscriptionid',
    type: text,
    default: '',
    help: 'subscription in which VMs are counted; also as --subscription-id',
  }),
  clientId: flag({
    flag: 'clientid',
    type: text,
    default: '',
    help: "client id of the pod's identity; also as --identity-client-id",
  }),
  resourceGroup: flag({
    flag: 'resourcegroup',
    type: text,
    default: '',
    help: 'resource group whose VMs are counted; also as --resource-group',
  }),
  resource: flag({
    flag: 'aad-resourcename',
    type: text,
    default: '',
    help: "for whom the tokens are; the cloud's resource manager unless given; also as --resource-name",
  }),
  retryWaitTime: flag({
    flag: 'retry-wait-time',
    type: int(1, day),
    default: 20,
    help: 'seconds between two rounds',
  }),
  period: flag({
    flag: 'period',
    type: optional(duration(1_000, day * 1_000)),
    default: undefined,
    help: 'the same as a duration, 100s; goes before --retry-wait-time',
  }),
  help: flag({ flag: 'help', type: bool, default: false, help: 'print the flags and exit' }),
  ...klogFlags,
  version: flag({ flag: 'version', type: bool, default: false, help: 'print the version and exit' }),
};

export type DemoConfig = FlagValues<typeof demoFlags>;

/** Later demos (from 1.7.2 on) spelled these so. */
const laterNames: Readonly<Record<string, string>> = {
  'subscription-id': demoFlags.subscriptionId.flag,
  'identity-client-id': demoFlags.clientId.flag,
  'resource-group': demoFlags.resourceGroup.flag,
  'resource-name': demoFlags.resource.flag,
};

/** The whole configuration, frozen. Throws AppError `flag-invalid`, one sentence; `--help` and `--version` are never refused. */
export function loadDemoConfig(args: readonly string[], env: Environment): DemoConfig {
  const asked = args.filter((arg) => arg === '--help' || arg === '--version');
  if (asked.length > 0) return parseFlags(demoFlags, asked, {});
  const first = args.map((arg) =>
    arg.replace(/^--([^=]+)/, (_, name: string) => `--${laterNames[name] ?? name}`),
  );
  return parseFlags(demoFlags, first, env);
}

/** Between two rounds, ms. */
export function pauseOf({ period, retryWaitTime }: DemoConfig): number {
  return period ?? retryWaitTime * 1_000;
}
