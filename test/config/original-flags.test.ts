import { join } from 'node:path';
import t from 'tap';
import { loadNmiConfig } from '../../lib/config/load.ts';
import type { NmiConfig } from '../../lib/config/nmi-flags.ts';
import { version } from '../../lib/config/version.ts';
import { systemExec } from '../../lib/platform/exec.ts';
import { refusalOf } from '../fakes/failure.ts';

type Row = readonly [flag: string, key: keyof NmiConfig, byDefault: unknown, given: string, value: unknown];

/** Every flag of the original (1.8.17), with its default and a value of its own. Undefined: the default has another name here. */
const rows: readonly Row[] = [
  ['nmi-listen-address', 'nmiListenAddress', '127.0.0.1', '10.0.0.4', '10.0.0.4'],
  ['nmi-port', 'nmiPort', 2579, '2600', 2600],
  ['metadata-ip', 'metadataIp', '169.254.169.254', '10.9.9.9', '10.9.9.9'],
  ['metadata-port', 'metadataPort', 80, '8080', 8080],
  ['ipt-update-interval-sec', 'iptUpdateIntervalSec', 60, '5', 5],
  ['forceNamespaced', 'forceNamespaced', false, 'true', true],
  ['MICNamespace', 'micNamespace', 'default', 'kube-system', 'kube-system'],
  ['http-probe-port', 'httpProbePort', 8080, '8085', 8085],
  ['retry-attempts-for-created', 'retryAttemptsForCreated', undefined, '16', 16],
  ['retry-attempts-for-assigned', 'retryAttemptsForAssigned', undefined, '4', 4],
  ['find-identity-retry-interval', 'findIdentityRetryInterval', undefined, '5', 5],
  ['enableProfile', 'enableProfile', false, 'false', false],
  ['enableScaleFeatures', 'enableScaleFeatures', true, 'false', false],
  ['block-instance-metadata', 'blockInstanceMetadata', false, 'true', true],
  ['metadata-header-required', 'metadataHeaderRequired', true, 'false', false],
  ['prometheus-port', 'prometheusPort', 9090, '9999', 9999],
  ['operation-mode', 'operationMode', 'standard', 'Managed', 'managed'],
  ['allow-network-plugin-kubenet', 'allowNetworkPluginKubenet', false, 'true', true],
  ['kubelet-config', 'kubeletConfig', '/etc/default/kubelet', '/etc/k', '/etc/k'],
  ['set-retry-after-header', 'setRetryAfterHeader', false, 'true', true],
  ['log-format', 'logFormat', 'text', 'JSON', 'json'],
  ['custom-user-agent', 'customUserAgent', '', 'mine/1', 'mine/1'],
];

for (const [flag, key, byDefault, given, value] of rows) {
  t.test(`takes the original's --${flag}, with its default`, async (t) => {
    t.equal(loadNmiConfig(['--node=n'], {})[key], byDefault);
    t.equal(loadNmiConfig(['--node=n', `--${flag}=${given}`], {})[key], value);
  });
}

t.test('ends old connections unless told not to, where the original had to be told', async (t) => {
  t.equal(loadNmiConfig(['--node=n'], {}).enableConntrackDeletion, true);
  t.equal(
    loadNmiConfig(['--node=n', '--enable-conntrack-deletion=false'], {}).enableConntrackDeletion,
    false,
  );
});

const klog: readonly string[] = [
  '--logtostderr',
  '--logtostderr=true',
  '--alsologtostderr',
  '--stderrthreshold=2',
  '--stderrthreshold=INFO',
  '--log_dir=/var/log',
  '--log_file=/var/log/nmi',
  '--log_file_max_size=1800',
  '--log_backtrace_at=main.go:12',
  '--skip_headers',
  '--skip_log_headers',
  '--add_dir_header',
  '--one_output',
  '--vmodule=server*=4',
];

t.test("takes every flag of the original's logging library, and does nothing with it", async (t) => {
  const plain = loadNmiConfig(['--node=n'], {});
  for (const arg of klog) {
    const own = Object.entries(loadNmiConfig(['--node=n', arg], {})).filter(
      ([key, value]) => plain[key as keyof NmiConfig] !== value,
    );
    t.ok(own.length <= 1, `${arg} changes nothing but itself`);
  }
});

const verbosities: readonly (readonly [args: readonly string[], level: number])[] = [
  [[], 0],
  [['-v=5'], 5],
  [['-v', '5'], 5],
  [['-v5'], 5],
  [['--v=5'], 5],
  [['--v', '5'], 5],
  [['-v=0'], 0],
  [['-v=1', '--v=2'], 2],
];

for (const [args, level] of verbosities) {
  t.test(`reads ${JSON.stringify(args)} as verbosity ${level}`, async (t) => {
    t.equal(loadNmiConfig(['--node=n', ...args], {}).verbosity, level);
  });
}

t.test('refuses a verbosity that is none, and other short flags', async (t) => {
  const sentences: readonly (readonly [arg: string, message: string])[] = [
    ['-v', '--v needs a value: it takes a whole number from 0 to 100'],
    ['-v=', '--v needs a value: it takes a whole number from 0 to 100'],
    ['-v=high', '--v is "high", but it takes a whole number from 0 to 100'],
    ['-verbose', '--v is "erbose", but it takes a whole number from 0 to 100'],
    ['-n=x', 'unknown flag -n; --help lists them all'],
    ['-V', 'unknown flag -V; did you mean --v?'],
  ];
  for (const [arg, message] of sentences)
    t.strictSame(await refusalOf(() => loadNmiConfig(['--node=n', arg], {})), {
      code: 'flag-invalid',
      message,
    });
});

t.test("starts with what the original's chart writes into its DaemonSet", async (t) => {
  const args = `--node=n --http-probe-port=8085 --enableScaleFeatures=true --metadata-header-required=true
    --operation-mode=standard --kubelet-config=/etc/default/kubelet --ipt-update-interval-sec=60
    --retry-attempts-for-created=16 --retry-attempts-for-assigned=4 --find-identity-retry-interval=5
    --set-retry-after-header=false --enable-conntrack-deletion=true --block-instance-metadata=false
    --allow-network-plugin-kubenet=false --MICNamespace=default --prometheus-port=9090 --log-format=text
    --logtostderr -v=0`;
  const config = loadNmiConfig(args.split(/\s+/), { HOST_IP: '10.0.0.4', FORCENAMESPACED: 'false' });
  t.match(config, { node: 'n', operationMode: 'standard', httpProbePort: 8085, forceNamespaced: false });
});

t.test("prints the version in the original's line, and exits 0", async (t) => {
  const nmi = join(import.meta.dirname, '../../bin/nmi.ts');
  const shown = await systemExec(process.execPath, [nmi, '--version'], { timeoutMs: 30_000 });
  t.match(shown, { code: 0, stderr: '' });
  const [line, rest] = shown.stdout.split('\n');
  t.match(line, new RegExp(`^MIC Version: ${version} - NMI Version: ${version} - `));
  t.equal(rest, '');
  const wrong = await systemExec(process.execPath, [nmi, '--nmi-port=0'], { timeoutMs: 30_000 });
  t.strictSame(wrong, {
    code: 2,
    stdout: '',
    stderr: 'nmi: --nmi-port is "0", but it takes a port from 1 to 65535\n',
  });
});
