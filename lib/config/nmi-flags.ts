import { type FlagValues, flag } from './flag.ts';
import { bool, choice, int, ip, ipv4, port, text } from './types.ts';

/**
 * The agent's flags. Names and defaults are the original's (AAD Pod Identity 1.8.17) where it had the flag; README's table
 * is tested against this one.
 */
export const nmiFlags = {
  node: flag({
    flag: 'node',
    env: 'NODE_NAME',
    type: text,
    default: '',
    help: 'name of the node whose pods are served; required',
  }),
  operationMode: flag({
    flag: 'operation-mode',
    type: choice('standard', 'managed'),
    default: 'standard',
    help: '`managed`: identities are assigned to the machines by you; `standard` (MIC assigns them) is not there yet',
  }),
  forceNamespaced: flag({
    flag: 'forceNamespaced',
    env: 'FORCENAMESPACED',
    type: bool,
    default: false,
    help: 'pods get identities of their own namespace only; managed mode always does this',
  }),
  nmiListenAddress: flag({
    flag: 'nmi-listen-address',
    type: ip,
    default: '127.0.0.1',
    help: "address that pods are redirected to; 127.0.0.1 falls back to the node's own where `route_localnet` is off",
  }),
  nmiPort: flag({ flag: 'nmi-port', type: port, default: 2579, help: 'port that pods are redirected to' }),
  metadataIp: flag({
    flag: 'metadata-ip',
    type: ipv4,
    default: '169.254.169.254',
    help: 'address of the instance metadata service: what is redirected, and where tokens come from',
  }),
  metadataPort: flag({ flag: 'metadata-port', type: port, default: 80, help: 'its port' }),
  metadataHeaderRequired: flag({
    flag: 'metadata-header-required',
    type: bool,
    default: true,
    help: 'refuse requests without `Metadata: true`',
  }),
  rejectForwardedFor: flag({
    flag: 'reject-forwarded-for',
    type: bool,
    default: true,
    help: 'refuse requests with `X-Forwarded-For`, as IMDS does',
  }),
  blockInstanceMetadata: flag({
    flag: 'block-instance-metadata',
    type: bool,
    default: false,
    help: 'answer 403 to `/metadata/instance` and `/metadata/attested`',
  }),
  iptablesBackend: flag({
    flag: 'iptables-backend',
    type: choice('auto', 'nft', 'legacy'),
    default: 'auto',
    help: "`auto`: the one that holds kubelet's or kube-proxy's chains, else the one with rules, else nft",
  }),
  iptUpdateIntervalSec: flag({
    flag: 'ipt-update-interval-sec',
    type: int(1, 3600),
    default: 60,
    help: 'check the rules at least this often; they are checked every 1.5 s (nft) or 5 s (legacy) anyway',
  }),
  httpProbePort: flag({
    flag: 'http-probe-port',
    type: port,
    default: 8080,
    help: 'port of `/healthz` and `/readyz`',
  }),
  prometheusPort: flag({ flag: 'prometheus-port', type: port, default: 9090, help: 'port of `/metrics`' }),
  logFormat: flag({
    flag: 'log-format',
    type: choice('text', 'json'),
    default: 'text',
    help: '`json`: one object a line, for programs; `text`: for people',
  }),
  help: flag({ flag: 'help', type: bool, default: false, help: 'print the flags and exit' }),
  version: flag({ flag: 'version', type: bool, default: false, help: 'print the version and exit' }),
};

export type NmiConfig = FlagValues<typeof nmiFlags>;
