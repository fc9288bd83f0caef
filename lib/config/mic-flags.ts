import { type FlagValues, flag } from './flag.ts';
import { klogFlags } from './klog-flags.ts';
import { bool, choice, duration, int, list, number, optional, port, text } from './types.ts';

const hour = 3_600_000;

/**
 * MIC's flags. Names and defaults are the original's (AAD Pod Identity 1.8.17) where it had the flag. Durations are ms here and
 * Go's on the command line.
 */
export const micFlags = {
  kubeconfig: flag({
    flag: 'kubeconfig',
    type: text,
    default: '',
    help: "file with the connection to Kubernetes; the pod's service account unless given",
  }),
  cloudConfig: flag({
    flag: 'cloudconfig',
    type: text,
    default: '',
    help: "the cloud provider's file, `/etc/kubernetes/azure.json`; environment variables unless given",
  }),
  forceNamespaced: flag({
    flag: 'forceNamespaced',
    env: 'FORCENAMESPACED',
    type: bool,
    default: false,
    help: 'pods get identities of their own namespace only',
  }),
  namespace: flag({
    flag: 'mic-pod-namespace',
    env: 'MIC_POD_NAMESPACE',
    type: text,
    default: '',
    help: 'namespace that MIC runs in, where its ConfigMap is; required',
  }),
  syncRetryDuration: flag({
    flag: 'syncRetryDuration',
    type: duration(10_000, 24 * hour),
    default: hour,
    help: 'look at everything at least this often, without any change; failures are tried again sooner',
  }),
  unassignGrace: flag({
    flag: 'unassign-grace',
    type: duration(0, 24 * hour),
    default: 300_000,
    help: 'how long an identity that no pod needs stays on its machine (0 s in the original)',
  }),
  prewarm: flag({
    flag: 'prewarm',
    type: choice('off', 'binding'),
    default: 'off',
    help: '`binding`: keep an identity for a day on the scale sets where a pod of its binding ran',
  }),
  immutableUserMsis: flag({
    flag: 'immutable-user-msis',
    type: list(text),
    default: [] as readonly string[],
    help: 'client ids of identities that are never taken off a machine, with commas between',
  }),
  updateUserMsiMaxRetry: flag({
    flag: 'update-user-msi-max-retry',
    type: optional(int(0, 100)),
    default: undefined,
    help: "the original's; without effect: a refused change of a machine's identities is divided until those at fault stand alone, whatever that takes (2 log2 n more tries for one of n)",
  }),
  updateUserMsiRetryInterval: flag({
    flag: 'update-user-msi-retry-interval',
    type: duration(0, hour),
    default: 1_000,
    help: "pause before another try where Azure has refused a change of a machine's identities",
  }),
  identityAssignmentReconcileInterval: flag({
    flag: 'identity-assignment-reconcile-interval',
    type: duration(10_000, 24 * hour),
    default: 180_000,
    help: 'how often identities that others took off a machine are looked for and put back',
  }),
  createDeleteBatch: flag({
    flag: 'createDeleteBatch',
    type: int(1, 1_000),
    default: 20,
    help: 'objects written at once for one machine',
  }),
  clientQps: flag({
    flag: 'clientQps',
    type: number(0.1, 10_000),
    default: 5,
    help: 'requests to Kubernetes a second, and as many at once after a pause; watches and the lease do not count',
  }),
  leaderElectionInstance: flag({
    flag: 'leader-election-instance',
    type: text,
    default: '',
    help: 'name of this instance in the lease; the host name unless given, which is the name of the pod',
  }),
  leaderElectionNamespace: flag({
    flag: 'leader-election-namespace',
    type: text,
    default: 'default',
    help: "namespace of the lease, and of the original's lock",
  }),
  leaderElectionName: flag({
    flag: 'leader-election-name',
    type: text,
    default: 'aad-pod-identity-mic',
    help: "name of the lease, and of the original's lock",
  }),
  leaderElectionDuration: flag({
    flag: 'leader-election-duration',
    type: duration(4_000, hour),
    default: 15_000,
    help: 'how long the lease holds: a standby takes over within it',
  }),
  enableTypeUpgrade: flag({
    flag: 'enable-type-upgrade',
    type: bool,
    default: true,
    help: 'look once for objects of before 1.6.0, whose fields had another letter case',
  }),
  configMapName: flag({
    flag: 'config-map-name',
    type: text,
    default: 'aad-pod-identity-config',
    help: 'ConfigMap that remembers that',
  }),
  typeUpgradeStatusKey: flag({
    flag: 'type-upgrade-status-key',
    type: text,
    default: 'type-upgrade-status',
    help: 'its key',
  }),
  httpProbePort: flag({
    flag: 'http-probe-port',
    type: port,
    default: 8080,
    help: 'port of `/healthz` and `/readyz`',
  }),
  prometheusPort: flag({ flag: 'prometheus-port', type: port, default: 8888, help: 'port of `/metrics`' }),
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
    help: 'added to the User-Agent towards Kubernetes and Azure',
  }),
  httpsProxy: flag({
    flag: 'https-proxy',
    env: 'HTTPS_PROXY',
    type: text,
    default: '',
    help: 'proxy towards Azure Resource Manager and Microsoft Entra ID, `http://proxy.example.com:3128`; never used for IMDS',
  }),
  noProxy: flag({
    flag: 'no-proxy',
    env: 'NO_PROXY',
    type: text,
    default: '',
    help: 'hosts and domains that are reached without it, with commas between',
  }),
  enableScaleFeatures: flag({
    flag: 'enableScaleFeatures',
    type: bool,
    default: false,
    help: "the original's; without effect there, and here",
  }),
  enableProfile: flag({
    flag: 'enableProfile',
    type: bool,
    default: false,
    help: 'refused when on: there is no profiler in MIC; use the inspector of Node where you need one',
  }),
  help: flag({ flag: 'help', type: bool, default: false, help: 'print the flags and exit' }),
  ...klogFlags,
  version: flag({ flag: 'version', type: bool, default: false, help: 'print the version and exit' }),
};

export type MicConfig = FlagValues<typeof micFlags>;
