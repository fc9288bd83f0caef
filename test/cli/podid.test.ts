import t from 'tap';
import { exit } from '../../lib/cli/exit.ts';
import { type Call, type Verb, verb } from '../../lib/cli/verb.ts';
import { verbs as realVerbs } from '../../lib/cli/verbs.ts';
import { flag } from '../../lib/config/flag.ts';
import { bool, text } from '../../lib/config/types.ts';
import { version } from '../../lib/config/version.ts';
import { AppError } from '../../lib/model/errors.ts';
import { call } from './rig.ts';

/** A verb that reports what it was called with. */
function echo(name: string, words = 'WORD'): Verb {
  return verb({
    name,
    words,
    count: [0, 1],
    summary: `says ${name}`,
    about: `podid ${name} x`,
    flags: {
      colour: flag({ flag: 'colour', type: text, default: 'none', help: 'its colour' }),
      loud: flag({ flag: 'loud', short: 'l', type: bool, default: false, help: 'aloud' }),
    },
    run: async ({ flags, words }) => ({
      status: exit.ok,
      data: { name, words, colour: flags.colour, loud: flags.loud, namespace: flags.namespace },
      text: (style) => `${style.good(name)}\n`,
    }),
  });
}

const verbs = [echo('exception'), echo('exception add'), echo('add')];

async function said(...args: string[]): Promise<unknown> {
  const { stdout, stderr } = await call(['-o', 'json', ...args], { verbs });
  return stdout === '' ? stderr : JSON.parse(stdout);
}

t.test('takes flags and words in any order, as kubectl does', async (t) => {
  const wanted = { name: 'add', words: ['pod/x'], colour: 'red', loud: true, namespace: 'shop' };
  t.same(await said('add', 'pod/x', '-n', 'shop', '--colour=red', '-l'), wanted);
  t.same(await said('-n=shop', '--loud', 'add', '--colour', 'red', 'pod/x'), wanted);
  t.same(await said('add', '-nshop', '-l', '--colour', 'red', '--', 'pod/x'), wanted);
});

t.test('finds verbs of two words, and words that look like verbs', async (t) => {
  t.match(await said('exception', 'add'), { name: 'exception add', words: [] });
  t.match(await said('exception', 'other'), { name: 'exception', words: ['other'] });
  t.match(await said('-n', 'add', 'exception', 'add', 'add'), {
    name: 'exception add',
    words: ['add'],
    namespace: 'add',
  });
});

t.test(
  'refuses what it does not understand in one sentence, with status 2 and nothing on stdout',
  async (t) => {
    const refused: readonly (readonly [readonly string[], RegExp])[] = [
      [['frobnicate'], /^podid: unknown verb frobnicate; podid --help lists all\n$/],
      [['help', 'frobnicate'], /^podid: unknown verb frobnicate; podid --help lists all\n$/],
      [['--frobnicate'], /^podid: unknown flag --frobnicate; podid --help lists all\n$/],
      [[''], /^podid: unknown verb ''; podid --help lists all\n$/],
      [['add', '-n', 'Shop'], /^podid: --namespace is "Shop", which is no name that Kubernetes takes\n$/],
      [['add', '--namespace=../x'], /^podid: --namespace is "..\/x", which is no name/],
      [['add', '--colours', 'red'], /^podid: unknown flag --colours; .*\n$/],
      [['add', '--colour'], /^podid: --colour needs a value: .*\n$/],
      [['add', 'a', 'b'], /^podid: podid add WORD: unexpected "b"; podid add --help tells more\n$/],
      [['add', '-o', 'xml'], /^podid: --output is "xml", but it takes one of text, json, yaml\n$/],
      [['x\x1b[2J'], /^podid: unknown verb x\?\[2J; /],
    ];
    for (const [args, stderr] of refused)
      t.match(await call(args, { verbs }), { status: 2, stdout: '', stderr });
  },
);

t.test('says what is missing', async (t) => {
  const needy = verb({
    ...{ name: 'needy', words: 'pod/NAME', count: [1, 1], summary: 'needs', about: '', flags: {} },
    run: async () => ({ status: exit.ok, data: {}, text: () => '' }),
  });
  const stderr = 'podid: podid needy pod/NAME: pod/NAME is missing; podid needy --help tells more\n';
  t.same(await call(['needy'], { verbs: [needy] }), { status: 2, stdout: '', stderr });
});

t.test('tells its verbs, their flags and its version', async (t) => {
  for (const args of [['--help'], ['-h'], ['help'], [], ['--']]) {
    const { status, stdout } = await call(args, { verbs });
    t.equal(status, 0);
    for (const { name, summary } of verbs) t.match(stdout, new RegExp(` ${name} WORD +${summary}\n`));
  }
  for (const args of [
    ['add', '--help'],
    ['help', 'add'],
    ['add', 'x', '-h'],
    ['add', 'x', '--help=true'],
  ]) {
    const { status, stdout } = await call(args, { verbs });
    t.equal(status, 0);
    for (const part of ['podid add WORD', 'says add.', 'podid add x', '--colour', '--context', 'Exit status'])
      t.ok(stdout.includes(part), part);
  }
  for (const arg of ['--version', 'version'])
    t.same(await call([arg], { verbs }), { status: 0, stdout: `podid ${version}\n`, stderr: '' });
  t.match(await call(['add', '--version'], { verbs }), { status: 0, stdout: `podid ${version}\n` });
});

t.test('says of a verb for the whole cluster that it takes no namespace', async (t) => {
  for (const name of ['doctor', 'repair', 'completion'])
    for (const args of [['-n', 'shop'], ['-nshop'], ['--namespace=shop'], ['--namespace', 'shop']])
      t.same(await call([name, ...args]), {
        status: 2,
        stdout: '',
        stderr: `podid: podid ${name} takes no --namespace; podid ${name} --help tells more\n`,
      });
});

t.test('the first word of verbs that have two lists them', async (t) => {
  for (const args of [['exception'], ['exception', '--help'], ['help', 'exception']]) {
    const { status, stdout } = await call(args);
    t.equal(status, 0);
    const listed = [...stdout.matchAll(/^ {2}exception (\w+)/gm)].map(([, word]) => word);
    t.same(listed, ['add', 'update', 'delete', 'list']);
    t.notMatch(stdout, /^ {2}explain/m);
  }
  const stderr = 'podid: unknown verb exception get; podid exception --help lists all\n';
  t.same(await call(['exception', 'get']), { status: 2, stdout: '', stderr });
});

t.test('every verb has a help of its own, and no two have one name', async (t) => {
  t.equal(new Set(realVerbs.map(({ name }) => name)).size, realVerbs.length);
  for (const { name } of realVerbs) {
    t.match(await call([...name.split(' '), '--help']), {
      status: 0,
      stdout: /^Usage: podid .*--kubeconfig/s,
    });
  }
});

t.test('colours are for terminals, and for those who want them', async (t) => {
  const run = async (terminal: boolean, env = {}): Promise<string> =>
    (await call(['add'], { verbs, terminal, env })).stdout;
  t.equal(await run(false), 'add\n');
  t.equal(await run(true), '\x1b[32madd\x1b[39m\n');
  t.equal(await run(true, { NO_COLOR: '1' }), 'add\n');
});

t.test('programs get JSON or YAML', async (t) => {
  const yaml = await call(['add', '-o', 'yaml', '--colour=no'], { verbs });
  t.equal(yaml.stdout, "---\nname: add\nwords: []\ncolour: 'no'\nloud: false\nnamespace: ''\n");
});

t.test('what others wrote acts on no terminal, and is the same for programs', async (t) => {
  const colour = 'a\x1b[2J\x9b2J\u202eb\u{e0001}';
  for (const output of ['json', 'yaml']) {
    const { stdout } = await call(['add', '-o', output, `--colour=${colour}`], { verbs });
    t.notMatch(stdout, /[^\P{Cc}\n]|\p{Cf}/u, output);
    if (output === 'json') t.equal(JSON.parse(stdout).colour, colour);
  }
});

t.test('of what a verb lets through by mistake, nothing but colours acts on a terminal', async (t) => {
  const careless = verb({
    ...{ name: 'careless', words: '', count: [0, 0], summary: 'lets all through', about: '', flags: {} },
    run: async () => ({
      ...{ status: exit.ok, data: {} },
      text: (style) => `${style.bad('a')}\x1b[2J\x1b]0;x\x07\x9b2J\r\u202eb\u{e0001}\n`,
    }),
  });
  const { stdout } = await call(['careless'], { verbs: [careless], terminal: true });
  t.equal(stdout, '\x1b[31ma\x1b[39m?[2J?]0;x??2J??b?\n');
});

t.test('what goes wrong on the way is one sentence, and status 1', async (t) => {
  const failing = (error: Error): Verb =>
    verb({
      ...{ name: 'fail', words: '', count: [0, 0], summary: 'fails', about: '', flags: {} },
      run: async ({ screen }: Call<Record<never, never>>) => {
        screen.progress('trying');
        throw error;
      },
    });
  const error = new AppError('kube-unreachable', 'the API server is\x07 away');
  const stderr = 'trying\npodid: the API server is? away\n';
  t.same(await call(['fail'], { verbs: [failing(error)] }), { status: 1, stdout: '', stderr });
  const onTerminal = await call(['fail'], { verbs: [failing(error)], terminal: true });
  t.equal(onTerminal.stderr, '\r\x1b[Ktrying\r\x1b[Kpodid: the API server is? away\n', 'progress is wiped');
});

t.test('a line of progress never wraps, so that all of it can be taken away', async (t) => {
  const slow = verb({
    ...{ name: 'slow', words: '', count: [0, 0], summary: 'waits', about: '', flags: {} },
    run: async ({ screen }: Call<Record<never, never>>) => {
      screen.progress('waiting for all that there is');
      return exit.ok;
    },
  });
  const { stderr } = await call(['slow'], { verbs: [slow], terminal: true, columns: 12 });
  t.equal(stderr, '\r\x1b[Kwaiting for\r\x1b[K', 'one column less than there are');
  t.equal((await call(['slow'], { verbs: [slow] })).stderr, 'waiting for all that there is\n');
});
