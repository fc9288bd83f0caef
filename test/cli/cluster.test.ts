import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { exit } from '../../lib/cli/exit.ts';
import { verb } from '../../lib/cli/verb.ts';
import { call, cliRig } from './rig.ts';

const where = verb({
  ...{ name: 'where', words: '', count: [0, 0], summary: 'says where', about: '', flags: {} },
  run: async ({ cluster, signal }) => {
    const { namespace, connection } = cluster;
    await connection.json('/version', { maxBytes: 1_000, signal });
    return { status: exit.ok, data: { namespace }, text: () => `${namespace}\n` };
  },
});

t.test('asks the cluster of the kubeconfig, in the namespace that is meant', async (t) => {
  const { podid } = await cliRig(t);
  t.same(await podid(['where'], { verbs: [where] }), { status: 0, stdout: 'default\n', stderr: '' });
  t.match(await podid(['where', '-n', 'shop'], { verbs: [where] }), { stdout: 'shop\n' });
  t.match(await podid(['where', '--context', 'lab'], { verbs: [where] }), { status: 0 });
  const other = await podid(['where', '--context', 'other'], { verbs: [where] });
  t.not(other.status, 0, 'a context that is not there is not passed over');
  t.match(other, { stdout: '', stderr: /context/ });
});

t.test('of several files in KUBECONFIG, takes the first that names a cluster', async (t) => {
  const { kubeconfig } = await cliRig(t);
  const file = kubeconfig('admin-token');
  const env = { KUBECONFIG: ['/nowhere/config', '/dev/null', file].join(':') };
  t.match(await call(['where'], { verbs: [where], env }), { status: 0, stdout: 'default\n' });
});

t.test('says which cluster it misses', async (t) => {
  t.match(await call(['where'], { verbs: [where] }), { status: 2, stderr: /no cluster is named/ });
  const gone = ['where', '--kubeconfig', '/nowhere/config'];
  t.match(await call(gone, { verbs: [where] }), { status: 1, stderr: /cannot be read \(ENOENT\)/ });
  const several = await call(['where'], { verbs: [where], env: { KUBECONFIG: '/a:/b' } });
  t.match(several, { status: 1, stderr: /none of the files \/a:\/b is there/ });
});

t.test('tells on a terminal of the plugin that it waits for', async (t) => {
  const { kubeconfig } = await cliRig(t);
  const config = JSON.parse(readFileSync(kubeconfig('admin-token'), 'utf8'));
  const credential = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential' };
  const said = JSON.stringify({ ...credential, status: { token: 'admin-token' } });
  const exec = { apiVersion: credential.apiVersion, command: 'echo', args: [said] };
  const path = join(
    t.testdir({ kubeconfig: JSON.stringify({ ...config, users: [{ name: 'lab', user: { exec } }] }) }),
    'kubeconfig',
  );
  const args = ['where', '--kubeconfig', path];
  const shown = await call(args, { verbs: [where], terminal: true });
  t.match(shown, { status: 0, stderr: /^\r\x1b\[Kasking echo for credentials; .*\r\x1b\[K$/ });
  t.equal((await call(args, { verbs: [where] })).stderr, '');
});
