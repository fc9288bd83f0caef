import t from 'tap';
import { exit } from '../../../lib/cli/exit.ts';
import { call, cliRig } from '../rig.ts';

const place = ['--namespace', 'my-app', '--name', 'legacy'];

t.test('adds, updates and deletes an exception in the words of az', async (t) => {
  const { api, podid } = await cliRig(t);
  api.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'my-app' } });
  const labels = (): unknown => api.get('AzurePodIdentityException', 'my-app', 'legacy')?.spec?.podLabels;
  const add = ['exception', 'add', ...place, '--pod-labels', 'app=legacy', 'team=billing'];
  t.match(await podid(add), { status: exit.ok, stdout: /my-app\/legacy created/ });
  t.same(labels(), { app: 'legacy', team: 'billing' });
  t.match(await podid(add), { status: exit.ok, stdout: /unchanged/ });
  const update = ['exception', 'update', ...place, '--pod-labels=app=other'];
  t.match(await podid(update), { status: exit.ok, stdout: /changed/ });
  t.same(labels(), { app: 'other' }, 'the labels given take the place of all others');
  t.match(await podid(add), { status: exit.no, stdout: /--overwrite/ });
  t.match(await podid(['exception', 'delete', ...place]), { status: exit.ok, stdout: /deleted/ });
  t.equal(labels(), undefined);
  t.match(await podid(['exception', 'delete', ...place]), { status: exit.ok, stdout: /there is no/ });
  t.match(await podid(update), { status: exit.no, stdout: /there is no/ });
});

t.test(
  'takes labels with commas between, the name as a word, and asks no cluster for a dry run',
  async (t) => {
    const args = [
      'exception',
      'add',
      'legacy',
      '-n',
      'my-app',
      '--pod-labels',
      'a=b,c=d',
      '--dry-run=client',
    ];
    const { stdout } = await call([...args, '-o', 'json']);
    t.match(JSON.parse(stdout), {
      kind: 'AzurePodIdentityException',
      metadata: { namespace: 'my-app', name: 'legacy' },
      spec: { podLabels: { a: 'b', c: 'd' } },
    });
  },
);

t.test('refuses an exception without labels, which would say nothing, and what is no label', async (t) => {
  for (const labels of [[], ['--pod-labels', 'app'], ['--pod-labels', 'a b=c'], ['--pod-labels', 'a=b c']]) {
    const { status } = await call(['exception', 'add', ...place, '--dry-run=client', ...labels]);
    t.equal(status, exit.usage, labels.join(' '));
  }
});
