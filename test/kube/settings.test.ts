import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { currentCredentials, type KubeSource, loadSettings } from '../../lib/kube/settings.ts';

const user = { token: 'hunter2' };
const cluster = { server: 'https://127.0.0.1:6443' };

function kubeconfig(parts: object = {}): string {
  return JSON.stringify({
    'current-context': 'here',
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user }],
    ...parts,
  });
}

t.test('says in one sentence what is wrong with a kubeconfig, and never quotes it', async (t) => {
  const dir = t.testdir();
  const bad: Record<string, [string, RegExp]> = {
    'not YAML': ['token: hunter2: [', /is not YAML$/],
    'a binary file': ['\u0000hunter2', /is not YAML$/],
    empty: ['', /is not YAML$/],
    'a word': ['hunter2', /is not YAML$/],
    'no contexts': [kubeconfig({ contexts: [] }), /has no current context with a cluster$/],
    'another context': [
      kubeconfig({ 'current-context': 'hunter2' }),
      /has no current context with a cluster$/,
    ],
    'no user': [kubeconfig({ users: [] }), /has no user in its current context$/],
    'a nameless user': [kubeconfig({ users: [{ user }] }), /is incomplete: users\[0\]\.name is missing$/],
    'a null cluster': [kubeconfig({ clusters: [null] }), /is incomplete$/],
    'plain http': [
      kubeconfig({ clusters: [{ name: 'c', cluster: { server: 'http://hunter2' } }] }),
      /not an https URL$/,
    ],
    'no URL': [
      kubeconfig({ clusters: [{ name: 'c', cluster: { server: 'hunter2' } }] }),
      /not an https URL$/,
    ],
  };
  for (const [what, [text, sentence]] of Object.entries(bad)) {
    const path = join(dir, 'config');
    writeFileSync(path, text);
    const error = thrownBy(() => loadSettings({ kind: 'kubeconfig', path }));
    t.match(error, { code: 'kubeconfig-unusable', message: sentence, cause: undefined }, what);
    t.ok(error.message.startsWith(`kubeconfig ${path} `), what);
    t.notMatch(error.message.replace(path, ''), /hunter2|\n/, what);
  }
});

t.test('tells a kubeconfig that is not there', async (t) => {
  const path = join(t.testdir(), 'none');
  t.throws(() => loadSettings({ kind: 'kubeconfig', path }), {
    code: 'kubeconfig-unusable',
    message: `kubeconfig ${path} cannot be read (ENOENT)`,
  });
});

t.test('tells that it is not inside a cluster', async (t) => {
  t.throws(() => loadSettings({ kind: 'in-cluster', host: '', port: '' }), {
    code: 'kubeconfig-unusable',
    message: /KUBERNETES_SERVICE_HOST/,
  });
});

t.test('reads the files that a kubeconfig names, beside it', async (t) => {
  const dir = t.testdir({ token: 'from-file\n', 'ca.crt': 'CA', config: '' });
  writeFileSync(
    join(dir, 'config'),
    kubeconfig({
      clusters: [{ name: 'c', cluster: { server: 'https://host/base/', 'certificate-authority': 'ca.crt' } }],
      users: [{ name: 'u', user: { token: 'older', tokenFile: 'token' } }],
    }),
  );
  const found = await credentials({ kind: 'kubeconfig', path: join(dir, 'config') });
  t.equal(found.baseUrl, 'https://host/base');
  t.same(found.headers, { authorization: 'Bearer from-file' });
  t.match(found.transport, { type: 'agent', connect: { ca: Buffer.from('CA') } });
});

t.test('takes IPv6 addresses and user names', async (t) => {
  const dir = t.testdir({ token: 'a', 'ca.crt': 'CA' });
  t.equal(
    (await credentials({ kind: 'in-cluster', host: 'fd00::1', port: '443', dir })).baseUrl,
    'https://[fd00::1]:443',
  );
  writeFileSync(
    join(dir, 'config'),
    kubeconfig({ users: [{ name: 'u', user: { username: 'a', password: 'b' } }] }),
  );
  const found = await credentials({ kind: 'kubeconfig', path: join(dir, 'config') });
  t.same(found.headers, { authorization: `Basic ${Buffer.from('a:b').toString('base64')}` });
});

t.test('takes the context that is named, and says so when there is none of that name', async (t) => {
  const path = join(t.testdir({ config: '' }), 'config');
  const there = { name: 'there', context: { cluster: 'other', user: 'u' } };
  const here = { name: 'here', context: { cluster: 'c', user: 'u' } };
  const other = { name: 'other', cluster: { server: 'https://other' } };
  writeFileSync(path, kubeconfig({ contexts: [here, there], clusters: [{ name: 'c', cluster }, other] }));
  const baseUrl = async (context: string): Promise<string> =>
    (await credentials({ kind: 'kubeconfig', path, context })).baseUrl;
  t.equal(await baseUrl('there'), 'https://other');
  t.equal(await baseUrl('here'), 'https://127.0.0.1:6443');
  const { message } = thrownBy(() => loadSettings({ kind: 'kubeconfig', path, context: 'nowhere' }));
  t.equal(message, `kubeconfig ${path} has no context nowhere`);
});

function credentials(source: KubeSource) {
  return currentCredentials(loadSettings(source), source);
}

function thrownBy(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('nothing was thrown');
}
