import t from 'tap';
import { flag } from '../../lib/config/flag.ts';
import { type Environment, parseFlags } from '../../lib/config/parse.ts';
import { bool, choice, optional, port, text } from '../../lib/config/types.ts';
import { refusalOf } from '../fakes/failure.ts';

const table = {
  node: flag({ flag: 'node', env: 'NODE_NAME', type: text, default: '', help: 'a name' }),
  port: flag({ flag: 'nmi-port', type: port, default: 2579, help: 'a port' }),
  mode: flag({
    flag: 'operation-mode',
    type: choice('standard', 'managed'),
    default: 'standard',
    help: 'a mode',
  }),
  namespaced: flag({
    flag: 'forceNamespaced',
    env: 'FORCENAMESPACED',
    type: bool,
    default: false,
    help: 'a switch',
  }),
  header: flag({ flag: 'metadata-header-required', type: bool, default: true, help: 'another switch' }),
  hold: flag({ flag: 'hold', type: optional(port), default: undefined, help: 'a number, or nothing' }),
  level: flag({ flag: 'level', short: 'l', type: port, default: 1, help: 'a number with a short name' }),
};
const defaults = {
  node: '',
  port: 2579,
  mode: 'standard',
  namespaced: false,
  header: true,
  hold: undefined,
  level: 1,
};

const parse = (args: readonly string[], env: Environment = {}) => parseFlags(table, args, env);

t.test('gives the defaults when nothing is given', async (t) => {
  t.strictSame(parse([]), defaults);
});

t.test('reads --flag=value and --flag value, whatever the value holds', async (t) => {
  t.strictSame(parse(['--node=a=b', '--nmi-port', '80', '--operation-mode', 'Managed']), {
    ...defaults,
    node: 'a=b',
    port: 80,
    mode: 'managed',
  });
  t.equal(parse(['--node=--nmi-port=80']).node, '--nmi-port=80');
  t.equal(parse(['--node', '']).node, '');
});

t.test('reads a switch alone as true, and =false as false', async (t) => {
  t.equal(parse(['--forceNamespaced']).namespaced, true);
  t.equal(parse(['--forceNamespaced=true']).namespaced, true);
  t.equal(parse(['--metadata-header-required=false']).header, false);
  t.equal(parse(['--metadata-header-required=0']).header, false);
});

t.test('reads a short name in every form, also beside the long one', async (t) => {
  for (const args of [['-l=7'], ['-l7'], ['-l', '7'], ['--level=7'], ['--level=3', '-l7']])
    t.equal(parse(args).level, 7, args.join(' '));
  t.equal(parse(['--node=-l7']).node, '-l7', 'but not within a value');
});

t.test('an optional flag is its value, or undefined where it is not given', async (t) => {
  t.equal(parse(['--hold=7']).hold, 7);
  t.equal(parse([]).hold, undefined);
});

t.test('takes the last of a flag that is given twice', async (t) => {
  t.equal(parse(['--nmi-port=1', '--nmi-port=2']).port, 2);
});

t.test('lets the command line win over the environment, and the environment over the default', async (t) => {
  const env = { NODE_NAME: 'from-env', FORCENAMESPACED: 'true' };
  t.match(parse([], env), { node: 'from-env', namespaced: true });
  t.match(parse(['--node=given', '--forceNamespaced=false'], env), { node: 'given', namespaced: false });
  t.equal(parse(['--node='], env).node, '', 'also with an empty value');
  t.match(parse([], { NODE_NAME: '', FORCENAMESPACED: '' }), defaults, 'an empty variable is not set');
});

t.test('gives values that nobody can change', async (t) => {
  const values = parse([]);
  t.ok(Object.isFrozen(values));
  t.throws(() => Object.assign(values, { port: 1 }), TypeError);
});

const refusals: readonly (readonly [args: readonly string[], sentence: string, env?: Environment])[] = [
  [['--nmi-port=0'], '--nmi-port is "0", but it takes a port from 1 to 65535'],
  [['--nmi-port='], '--nmi-port is "", but it takes a port from 1 to 65535'],
  [['--operation-mode=both'], '--operation-mode is "both", but it takes one of standard, managed'],
  [['--forceNamespaced=yes'], '--forceNamespaced is "yes", but it takes true or false'],
  [['--operation-mode=a\nb'], '--operation-mode is "a\\nb", but it takes one of standard, managed'],
  [
    [`--operation-mode=${'x'.repeat(500)}`],
    `--operation-mode is "${'x'.repeat(80)}…", but it takes one of standard, managed`,
  ],
  [
    [],
    'the environment variable FORCENAMESPACED is "yes", but it takes true or false',
    { FORCENAMESPACED: 'yes' },
  ],
  [['--node'], '--node needs a value: it takes any text'],
  [['--nmi-port', '--node=a'], '--nmi-port needs a value: it takes a port from 1 to 65535'],
  [['--node', '--nmi-port=80'], '--node needs a value: it takes any text'],
  [['managed'], 'unexpected argument "managed": every setting is a --flag'],
  [['--forceNamespaced', 'false'], 'unexpected argument "false": every setting is a --flag'],
  [['--', '--node=a'], 'unexpected argument "--node=a": every setting is a --flag'],
  [['--nodes=a'], 'unknown flag --nodes; --help lists them all'],
  [['--force-namespaced'], 'unknown flag --force-namespaced; did you mean --forceNamespaced?'],
  [['--NMI_PORT=1'], 'unknown flag --NMI_PORT; did you mean --nmi-port?'],
  [['--operation=managed'], 'unknown flag --operation; did you mean --operation-mode?'],
  [['--no-forceNamespaced'], 'unknown flag --no-forceNamespaced; --help lists them all'],
  [['-n', 'a'], 'unknown flag -n; --help lists them all'],
  [['-v=2'], 'unknown flag -v; --help lists them all'],
  [['-l'], '--level needs a value: it takes a port from 1 to 65535'],
  [['-l='], '--level needs a value: it takes a port from 1 to 65535'],
  [['-lx'], '--level is "x", but it takes a port from 1 to 65535'],
  [['-l\n7'], 'unknown flag -l; --help lists them all'],
  [['--hold=none'], '--hold is "none", but it takes a port from 1 to 65535'],
  [['--__proto__=a'], 'unknown flag --__proto__; --help lists them all'],
  [['--constructor=a'], 'unknown flag --constructor; --help lists them all'],
];

for (const [args, sentence, env] of refusals) {
  const given = JSON.stringify(env ?? args);
  t.test(`refuses ${given.length > 80 ? `${given.slice(0, 80)}…` : given} with one sentence`, async (t) => {
    t.strictSame(await refusalOf(() => parse(args, env)), { code: 'flag-invalid', message: sentence });
  });
}
