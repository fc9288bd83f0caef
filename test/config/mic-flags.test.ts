import t from 'tap';
import { usage } from '../../lib/config/load.ts';
import { loadMicConfig } from '../../lib/config/load-mic.ts';
import { type MicConfig, micFlags } from '../../lib/config/mic-flags.ts';
import { refusalOf } from '../fakes/failure.ts';

type Row = readonly [flag: string, key: keyof MicConfig, byDefault: unknown, given: string, value: unknown];

const env = { MIC_POD_NAMESPACE: 'kube-system' };

/** Every flag of the original (1.8.17), with its default and a value of its own. Undefined: it is told when one is given. */
const rows: readonly Row[] = [
  ['kubeconfig', 'kubeconfig', '', '/k', '/k'],
  ['cloudconfig', 'cloudConfig', '', '/etc/kubernetes/azure.json', '/etc/kubernetes/azure.json'],
  ['forceNamespaced', 'forceNamespaced', false, 'true', true],
  ['syncRetryDuration', 'syncRetryDuration', 3_600_000, '90s', 90_000],
  ['leader-election-instance', 'leaderElectionInstance', '', 'mic-1', 'mic-1'],
  ['leader-election-namespace', 'leaderElectionNamespace', 'default', 'other', 'other'],
  ['leader-election-name', 'leaderElectionName', 'aad-pod-identity-mic', 'mine', 'mine'],
  ['leader-election-duration', 'leaderElectionDuration', 15_000, '1m', 60_000],
  ['http-probe-port', 'httpProbePort', 8080, '8085', 8085],
  ['prometheus-port', 'prometheusPort', 8888, '9999', 9999],
  ['enableProfile', 'enableProfile', false, 'false', false],
  ['enableScaleFeatures', 'enableScaleFeatures', false, 'true', true],
  ['createDeleteBatch', 'createDeleteBatch', 20, '40', 40],
  ['clientQps', 'clientQps', 5, '12.5', 12.5],
  ['immutable-user-msis', 'immutableUserMsis', [], 'a, b,', ['a', 'b']],
  ['config-map-name', 'configMapName', 'aad-pod-identity-config', 'c', 'c'],
  ['type-upgrade-status-key', 'typeUpgradeStatusKey', 'type-upgrade-status', 'k', 'k'],
  ['enable-type-upgrade', 'enableTypeUpgrade', true, 'false', false],
  ['update-user-msi-max-retry', 'updateUserMsiMaxRetry', undefined, '5', 5],
  ['update-user-msi-retry-interval', 'updateUserMsiRetryInterval', 1_000, '3s', 3_000],
  ['identity-assignment-reconcile-interval', 'identityAssignmentReconcileInterval', 180_000, '10m', 600_000],
  ['log-format', 'logFormat', 'text', 'JSON', 'json'],
  ['custom-user-agent', 'customUserAgent', '', 'mine/1', 'mine/1'],
  ['v', 'verbosity', 0, '5', 5],
];

for (const [flag, key, byDefault, given, value] of rows) {
  t.test(`takes the original's ${flag} with one dash or two, with its default`, async (t) => {
    t.strictSame(loadMicConfig([], env)[key], byDefault);
    for (const args of [[`--${flag}=${given}`], [`-${flag}=${given}`]])
      t.strictSame(loadMicConfig(args, env)[key], value, args.join(' '));
  });
}

t.test('has a grace before identities go, and keeps none warm unless told to', async (t) => {
  t.match(loadMicConfig([], env), { unassignGrace: 300_000, prewarm: 'off' });
  const given = ['--unassign-grace=0', '--prewarm=binding'];
  t.match(loadMicConfig(given, env), { unassignGrace: 0, prewarm: 'binding' });
});

t.test("starts with what the original's chart writes into its Deployment", async (t) => {
  const args = `--cloudconfig=/etc/kubernetes/azure.json --forceNamespaced --createDeleteBatch=20 --clientQps=5
    --http-probe-port=8080 --logtostderr -v=0 --leader-election-namespace=default --prometheus-port=8888
    --update-user-msi-max-retry=2 --update-user-msi-retry-interval=1s --identity-assignment-reconcile-interval=3m
    --log-format=text`;
  const config = loadMicConfig(args.split(/\s+/), { ...env, FORCENAMESPACED: 'false' });
  t.match(config, { namespace: 'kube-system', forceNamespaced: true, clientQps: 5 });
});

t.test('the environment can only add to the isolation', async (t) => {
  t.equal(
    loadMicConfig(['--forceNamespaced=false'], { ...env, FORCENAMESPACED: 'true' }).forceNamespaced,
    true,
  );
});

t.test('refuses what cannot work, with the cure', async (t) => {
  const table: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [
      ['--leader-election-duration=1s'],
      /is "1s", but it takes a duration from 4s to 1h, like 15s, 3m or 1h30m$/,
    ],
    [['--syncRetryDuration=3600'], /takes a duration/],
    [['--clientQps=0'], /takes a number from 0.1 to 10000$/],
    [['--enableProfile'], /not served/],
    [['--prometheus-port=8080'], /must differ/],
    [['--leader-election-name=Mine'], /not a name that Kubernetes takes/],
    [['--custom-user-agent=ü'], /printable ASCII/],
    [['--prewarm=all'], /one of off, binding$/],
    [['-leader-election=x'], /did you mean --leader-election-instance/],
  ];
  for (const [args, message] of table) {
    const refused = await refusalOf(() => loadMicConfig(args, env));
    t.match(refused, { code: 'flag-invalid', message }, args.join(' '));
  }
  t.match(await refusalOf(() => loadMicConfig([], {})), { message: /^MIC_POD_NAMESPACE is not set/ });
});

t.test("takes a proxy from its flag or from the environment, as the original's libraries did", async (t) => {
  const table: readonly (readonly [args: readonly string[], more: object, wanted: object])[] = [
    [[], {}, { httpsProxy: '', noProxy: '' }],
    [[], { HTTPS_PROXY: 'http://a:1', NO_PROXY: 'x' }, { httpsProxy: 'http://a:1', noProxy: 'x' }],
    [[], { https_proxy: 'b:2', no_proxy: 'y' }, { httpsProxy: 'b:2', noProxy: 'y' }],
    [['--https-proxy=c:3', '--no-proxy=z'], { HTTPS_PROXY: 'a:1' }, { httpsProxy: 'c:3', noProxy: 'z' }],
  ];
  for (const [args, more, wanted] of table) t.match(loadMicConfig(args, { ...env, ...more }), wanted);
  const refused = await refusalOf(() => loadMicConfig(['--https-proxy=socks5://me:pass@proxy'], env));
  t.match(refused, { code: 'flag-invalid', message: /is not the URL of a proxy/ });
  t.notMatch(refused.message, /pass/);
});

t.test('shows durations in --help as they are given', async (t) => {
  const shown = usage('mic', micFlags);
  for (const line of [
    'syncRetryDuration (default 1h)',
    'unassign-grace (default 5m)',
    'duration (default 15s)',
  ])
    t.match(shown, line);
  t.notMatch(shown, /default \d{4,}\d*000\)|default undefined|default \)/);
});

t.test('never refuses to tell its version or its flags', async (t) => {
  t.equal(loadMicConfig(['-version', '--clientQps=x'], {}).version, true);
  t.equal(loadMicConfig(['--help'], {}).help, true);
});
