import { type FlagValues, flag } from './flag.ts';
import { klogFlags } from './klog-flags.ts';
import { bool, choice, httpsHost, int, ip, ipv4, list, optional, port, text } from './types.ts';

/** Nobody waits longer, s. */
export const longestHold = 600;

/** Pods are redirected to `--nmi-port` or, while an agent hands over to its successor, to one above it. */
export const podPortsUsed = 3;

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
    help: '`standard`: MIC assigns identities to the machines; `managed`: you do',
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
  nmiPort: flag({
    flag: 'nmi-port',
    type: port,
    default: 2579,
    help: 'port that pods are redirected to; while an agent hands over to its successor, one of the two above it',
  }),
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
  hostToken: flag({
    flag: 'host-token',
    type: choice('on', 'off'),
    default: 'on',
    help: 'serve `/host/token` on 127.0.0.1 for the Key Vault drivers; any process of the node may ask it for any pod; `off` closes the port',
  }),
  aksAddonException: flag({
    flag: 'aks-addon-exception',
    type: bool,
    default: false,
    help: "serve AKS's add-ons as the node, as the AzurePodIdentityException `aks-addon-exception` does: pods of kube-system labelled `kubernetes.azure.com/managedby: aks`",
  }),
  identityHold: flag({
    flag: 'identity-hold',
    type: optional(int(0, longestHold)),
    default: undefined,
    help: 'how long a request for an identity that is not there yet waits, in seconds; unless given, 8, and 60 for clients known not to retry a 404',
  }),
  retryAttemptsForCreated: flag({
    flag: 'retry-attempts-for-created',
    type: optional(int(0, 1000)),
    default: undefined,
    help: "the original's (16 there); any of these three sets the hold to (created + assigned) × interval",
  }),
  retryAttemptsForAssigned: flag({
    flag: 'retry-attempts-for-assigned',
    type: optional(int(0, 1000)),
    default: undefined,
    help: "the original's (4 there)",
  }),
  findIdentityRetryInterval: flag({
    flag: 'find-identity-retry-interval',
    type: optional(int(0, 600)),
    default: undefined,
    help: "the original's (5 there), in seconds",
  }),
  setRetryAfterHeader: flag({
    flag: 'set-retry-after-header',
    type: bool,
    default: false,
    help: 'a wait that ends in vain is answered 503 with Retry-After in place of 404',
  }),
  podEvents: flag({
    flag: 'pod-events',
    type: bool,
    default: true,
    help: 'write a Kubernetes Event on a pod that gets no token',
  }),
  micNamespace: flag({
    flag: 'MICNamespace',
    type: text,
    default: 'default',
    help: 'namespace of MIC, whose pods pass as the node in standard mode',
  }),
  enableScaleFeatures: flag({
    flag: 'enableScaleFeatures',
    type: bool,
    default: true,
    help: "watch only this node's AzureAssignedIdentities, by their label `nodename`",
  }),
  kubeletConfig: flag({
    flag: 'kubelet-config',
    type: text,
    default: '/etc/default/kubelet',
    help: "file of the kubelet's flags, looked through for kubenet",
  }),
  allowNetworkPluginKubenet: flag({
    flag: 'allow-network-plugin-kubenet',
    type: bool,
    default: false,
    help: "start on kubenet, where a pod with NET_RAW can take another's address",
  }),
  pinNeighbours: flag({
    flag: 'pin-neighbours',
    type: bool,
    default: false,
    help: 'write permanent neighbour entries for pods on bridges, so that no other pod takes their address',
  }),
  onShutdown: flag({
    flag: 'on-shutdown',
    type: choice('auto', 'withdraw', 'keep'),
    default: 'auto',
    help: '`withdraw` or `keep` the rules at the end; `auto`: keep them while a DaemonSet brings the agent back, so that the gap fails closed, and withdraw them otherwise',
  }),
  guard: flag({
    flag: 'guard',
    type: choice('mangle', 'both', 'off'),
    default: 'mangle',
    help: "what drops a pod's metadata packets that the redirect missed: a chain in the mangle table, routing rules as well, or nothing",
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
    help: 'check the rules at least this often; they are checked every 1.7 s (nft) or 5 s (legacy) anyway',
  }),
  enableConntrackDeletion: flag({
    flag: 'enable-conntrack-deletion',
    type: bool,
    default: true,
    help: 'end connections to the metadata service that were opened before the redirect stood (off in the original)',
  }),
  httpProbePort: flag({
    flag: 'http-probe-port',
    type: port,
    default: 8080,
    help: 'port of `/healthz` and `/readyz`',
  }),
  probeFile: flag({
    flag: 'probe-file',
    type: text,
    default: '',
    help: 'file by which `bin/probe` answers the kubelet for this agent alone, while a port may be held by another on the node',
  }),
  prometheusPort: flag({ flag: 'prometheus-port', type: port, default: 9090, help: 'port of `/metrics`' }),
  logFormat: flag({
    flag: 'log-format',
    type: choice('text', 'json'),
    default: 'text',
    help: '`json`: one object a line, for programs; `text`: for people',
  }),
  verbosity: flag({
    flag: 'v',
    short: 'v',
    type: int(0, 100),
    default: 0,
    help: "klog's verbosity: 4 and more logs for debugging",
  }),
  customUserAgent: flag({
    flag: 'custom-user-agent',
    type: text,
    default: '',
    help: 'added to the User-Agent towards Kubernetes and IMDS',
  }),
  allowCrossNamespaceSecrets: flag({
    flag: 'allow-cross-namespace-secrets',
    type: bool,
    default: false,
    help: "let an AzureIdentity name a Secret of another namespace than its own (always allowed in the original): whoever may create AzureIdentities can then use any Secret's content as a credential",
  }),
  allowedAdEndpoints: flag({
    flag: 'allowed-ad-endpoints',
    type: optional(list(httpsHost)),
    default: undefined,
    help: 'further `adEndpoint`s that credentials of service principals may be sent to, beside those of the public, US Government and China clouds; `https://login.example.com`, with commas between',
  }),
  httpsProxy: flag({
    flag: 'https-proxy',
    env: 'HTTPS_PROXY',
    type: text,
    default: '',
    help: 'proxy towards Microsoft Entra ID, `http://proxy.example.com:3128`, for tokens of service principals; never used for IMDS',
  }),
  noProxy: flag({
    flag: 'no-proxy',
    env: 'NO_PROXY',
    type: text,
    default: '',
    help: 'hosts and domains that are reached without it, with commas between',
  }),
  enableProfile: flag({
    flag: 'enableProfile',
    type: bool,
    default: false,
    help: 'refused when on: there is no profiler in the agent; use the inspector of Node where you need one',
  }),
  help: flag({ flag: 'help', type: bool, default: false, help: 'print the flags and exit' }),
  ...klogFlags,
  version: flag({ flag: 'version', type: bool, default: false, help: 'print the version and exit' }),
};

export type NmiConfig = FlagValues<typeof nmiFlags>;
