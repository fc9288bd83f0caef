import t from 'tap';
import { holdOf, loadNmiConfig, proxyUrlOf, usage } from '../../lib/config/load.ts';
import { nmiFlags } from '../../lib/config/nmi-flags.ts';
import { version } from '../../lib/config/version.ts';
import { refusalOf } from '../fakes/failure.ts';

/** The least that starts an agent. */
const least = ['--node=node1'];

t.test('starts with a node alone, and the defaults of the original', async (t) => {
  t.match(loadNmiConfig(least, {}), {
    node: 'node1',
    operationMode: 'standard',
    nmiListenAddress: '127.0.0.1',
    nmiPort: 2579,
    metadataIp: '169.254.169.254',
    metadataPort: 80,
    metadataHeaderRequired: true,
    blockInstanceMetadata: false,
    forceNamespaced: false,
    iptUpdateIntervalSec: 60,
    httpProbePort: 8080,
    prometheusPort: 9090,
    logFormat: 'text',
  });
  t.equal(loadNmiConfig([], { NODE_NAME: 'node2' }).node, 'node2');
});

t.test('gives a configuration that nobody can change', async (t) => {
  t.ok(Object.isFrozen(loadNmiConfig(least, {})));
  t.ok(Object.isFrozen(loadNmiConfig(['--help'], {})));
});

const refusals: Readonly<Record<string, readonly [args: readonly string[], sentence: string]>> = {
  'no node': [
    ['--nmi-port=2579'],
    '--node is missing: it takes the name of this node (in a manifest: $(NODE_NAME) from spec.nodeName)',
  ],
  'a proxy that is none, without its password': [
    [...least, '--https-proxy=socks5://user:word@proxy:1080'],
    '--https-proxy (HTTPS_PROXY) is not the URL of a proxy: it takes http://proxy.example.com:3128',
  ],
  'an authority with a path': [
    [...least, '--allowed-ad-endpoints=https://login.example/adfs'],
    '--allowed-ad-endpoints is "https://login.example/adfs", but it takes https:// and a host, without user, port or path; several with commas between',
  ],
  'a profiler': [
    [...least, '--enableProfile'],
    '--enableProfile is not served: there is no profiler in the agent; use the inspector of Node where you need one',
  ],
  'a hold of half a second': [
    [...least, '--identity-hold=0.5'],
    '--identity-hold is "0.5", but it takes a whole number from 0 to 600',
  ],
  'a mode of its own': [
    [...least, '--operation-mode=both'],
    '--operation-mode is "both", but it takes one of standard, managed',
  ],
  'one port for pods and probes': [
    [...least, '--nmi-port=8080'],
    '--nmi-port (and the 2 ports above it), --http-probe-port and --prometheus-port must differ, but are 8080, 8080, 9090',
  ],
  'a probe port that an agent that hands over may need': [
    [...least, '--http-probe-port=2581'],
    '--nmi-port (and the 2 ports above it), --http-probe-port and --prometheus-port must differ, but are 2579, 2581, 9090',
  ],
  'a pod port without room above it': [
    [...least, '--nmi-port=65534'],
    '--nmi-port is 65534, but the 2 ports above it are needed, too: it takes at most 65533',
  ],
  'one port for probes and metrics': [
    [...least, '--prometheus-port=8085', '--http-probe-port=8085'],
    '--nmi-port (and the 2 ports above it), --http-probe-port and --prometheus-port must differ, but are 2579, 8085, 8085',
  ],
  'one port for pods and metrics': [
    [...least, '--nmi-port=9090'],
    '--nmi-port (and the 2 ports above it), --http-probe-port and --prometheus-port must differ, but are 9090, 8080, 9090',
  ],
};

for (const [what, [args, sentence]] of Object.entries(refusals)) {
  t.test(`refuses ${what}`, async (t) => {
    t.strictSame(await refusalOf(() => loadNmiConfig(args, {})), { code: 'flag-invalid', message: sentence });
  });
}

t.test('never refuses --help and --version, whatever else is wrong', async (t) => {
  const wrong = ['--nmi-port=none', '--bogus', 'word', '--node'];
  for (const args of [[], wrong]) {
    t.match(loadNmiConfig([...args, '--help'], {}), { help: true, version: false });
    t.match(loadNmiConfig(['--version', ...args], { FORCENAMESPACED: 'yes' }), {
      help: false,
      version: true,
    });
  }
  t.match(loadNmiConfig(['--help=true'], {}), { help: true }, 'nor for what is only missing');
});

t.test('does not take --help=false for a question', async (t) => {
  t.throws(() => loadNmiConfig(['--help=false'], {}), { code: 'flag-invalid' });
});

const holds: readonly (readonly [args: readonly string[], usualMs: number, longMs: number])[] = [
  [[], 8_000, 60_000],
  [['--identity-hold=30'], 30_000, 30_000],
  [['--identity-hold=0'], 0, 0],
  [['--retry-attempts-for-created=16'], 100_000, 100_000],
  [['--retry-attempts-for-created=2'], 30_000, 30_000],
  [['--retry-attempts-for-assigned=0'], 80_000, 80_000],
  [['--find-identity-retry-interval=1'], 20_000, 20_000],
  [['--find-identity-retry-interval=0'], 0, 0],
  [
    ['--retry-attempts-for-created=2', '--retry-attempts-for-assigned=1', '--find-identity-retry-interval=3'],
    9_000,
    9_000,
  ],
  [['--identity-hold=7', '--retry-attempts-for-created=2'], 7_000, 7_000],
];

for (const [args, usualMs, longMs] of holds) {
  t.test(`a request waits ${usualMs} ms, or ${longMs}, with ${args.join(' ') || 'no flag'}`, async (t) => {
    t.strictSame(holdOf(loadNmiConfig([...least, ...args], {})), { usualMs, longMs });
  });
}

t.test('a flag that has no default shows none', async (t) => {
  t.match(usage('nmi', nmiFlags), /\n {2}--identity-hold\n {6}how long/);
});

t.test('the usage names every flag once, with its variable, default and meaning', async (t) => {
  const text = usage('nmi', nmiFlags);
  t.match(text, /^Usage: nmi \[--flag=value …\]\n\n {2}--node \[NODE_NAME\]\n {6}name of the node/);
  for (const { flag } of Object.values(nmiFlags)) {
    t.equal(text.split('\n').filter((line) => line.split(' ')[2] === `--${flag}`).length, 1, flag);
  }
  t.match(text, '\n  --nmi-port (default 2579)\n');
  t.match(text, '\n  --metadata-header-required (default true)\n');
  t.notMatch(text, '`', 'no Markdown in a terminal');
  t.ok(text.endsWith('\n'));
});

t.test(
  'no two rows of the table share a flag or a variable, and every default is a value of its type',
  async (t) => {
    const rows = Object.values(nmiFlags);
    const flags = rows.map(({ flag }) => flag.toLowerCase());
    const variables = rows.flatMap((row) => ('env' in row && row.env ? [row.env] : []));
    t.equal(new Set(flags).size, flags.length);
    t.equal(new Set(variables).size, variables.length);
    for (const { flag, type, default: value } of rows)
      if (value !== undefined) t.strictSame(type.parse(String(value)), value, flag);
  },
);

t.test('the version is that of the package', async (t) => {
  t.match(version, /^\d+\.\d+\.\d+/);
});

t.test('the environment can ask for namespaced, and no flag take it back', async (t) => {
  const forced = (args: string[], value?: string): boolean =>
    loadNmiConfig(['--node=n', ...args], value === undefined ? {} : { FORCENAMESPACED: value })
      .forceNamespaced;
  t.same(
    [
      forced([]),
      forced(['--forceNamespaced']),
      forced([], 'true'),
      forced(['--forceNamespaced=false'], 'true'),
    ],
    [false, true, true, true],
  );
});

t.test('the retry flags of the original ask for no longer a hold than --identity-hold can', async (t) => {
  const config = loadNmiConfig(
    ['--node=n', '--retry-attempts-for-created=1000', '--find-identity-retry-interval=600'],
    {},
  );
  t.same(holdOf(config), { usualMs: 600_000, longMs: 600_000 });
});

t.test(
  'refuses a user agent that no header can carry, and an address that nothing can be redirected from',
  async (t) => {
    const load = (flag: string): unknown => loadNmiConfig(['--node=n', flag], {});
    t.throws(() => load('--custom-user-agent=a\r\nb'), { code: 'flag-invalid', message: /printable ASCII/ });
    for (const ip of ['0.0.0.0', '127.0.0.1', '224.0.0.1', '255.255.255.255'])
      t.throws(() => load(`--metadata-ip=${ip}`), { code: 'flag-invalid', message: ip });
    t.match(load('--metadata-ip=169.254.169.253'), { metadataIp: '169.254.169.253' });
  },
);

t.test(
  'keeps service principals in their namespace and to known authorities unless told otherwise',
  async (t) => {
    t.match(loadNmiConfig(least, {}), { allowCrossNamespaceSecrets: false, httpsProxy: '' });
    const args = [
      '--allow-cross-namespace-secrets',
      '--allowed-ad-endpoints=https://A.example,https://b.example/',
    ];
    t.match(loadNmiConfig([...least, ...args], { HTTPS_PROXY: 'proxy:3128', NO_PROXY: '.example' }), {
      ...{ allowCrossNamespaceSecrets: true, allowedAdEndpoints: ['a.example', 'b.example'] },
      ...{ httpsProxy: 'proxy:3128', noProxy: '.example' },
    });
    t.equal(proxyUrlOf('proxy:3128'), 'http://proxy:3128', 'as Go programs take it');
    t.equal(proxyUrlOf('https://user:word@proxy'), 'https://user:word@proxy');
    for (const none of ['', 'http://', 'ftp://proxy', 'socks5://proxy'])
      t.equal(proxyUrlOf(none), undefined, none);
  },
);
