import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { addresses } from './addresses.ts';
import { eventually } from './eventually.ts';
import { sampleIdentity } from './imds/token.ts';
import { createLab, type Lab, type LabOptions } from './lab.ts';
import { pidsIn, unavailable } from './namespaces.ts';
import { azureOf, namespacesOf } from './network.ts';
import { folderOf, startTime } from './state.ts';

const skip = unavailable() ?? false;
const target = 'metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net';
const ask = ['curl', '-sS', '--max-time', '5', '-H', 'Metadata: true', `http://${addresses.imds}/${target}`];

async function start(test: Test, options: LabOptions = {}): Promise<Lab> {
  const lab = await createLab(options);
  test.teardown(() => lab.down());
  return lab;
}

t.test('without an agent a pod reaches IMDS directly, under its own address', { skip }, async (t) => {
  const lab = await start(t, { pods: [{ name: 'one' }, { name: 'two', namespace: 'default' }] });
  await lab.imds.assign(sampleIdentity('demo'));
  await lab.imds.configure({ systemAssigned: null });
  const { code, stdout } = await lab.exec('two', ask);
  t.equal(code, 0);
  t.equal((JSON.parse(stdout) as { client_id: string }).client_id, sampleIdentity('demo').clientId);
  t.match((await lab.imds.log()).requests, [{ remoteAddress: '10.98.1.11', answered: 200 }]);
  await lab.exec('one', ask);
  await lab.onNode(ask);
  const from = (await lab.imds.log()).requests.map(({ remoteAddress }) => remoteAddress);
  t.same(from, ['10.98.1.11', '10.98.1.10', addresses.node]);
});

t.test('the Kubernetes API shows the node and what kubelet would say of the pods', { skip }, async (t) => {
  const lab = await start(t, {
    pods: [
      { name: 'web', labels: { app: 'web' } },
      { name: 'host', hostNetwork: true },
    ],
  });
  t.match(await lab.kube.get('Pod', 'web'), {
    metadata: { labels: { app: 'web' } },
    spec: { nodeName: 'node1' },
    status: {
      phase: 'Running',
      podIPs: [{ ip: '10.98.1.10' }],
      containerStatuses: [{ state: { running: {} } }],
    },
  });
  t.match(await lab.kube.get('Pod', 'host'), {
    spec: { hostNetwork: true },
    status: { podIP: addresses.node },
  });
  await lab.exec('host', ask);
  t.match((await lab.imds.log()).requests, [{ remoteAddress: addresses.node }]);
  const { code } = await lab.onNode([
    'curl',
    '-sSk',
    '--max-time',
    '5',
    `https://${addresses.azure}:6443/api/v1/pods`,
  ]);
  t.equal(code, 0, 'the node reaches the API over its network');
  await lab.removePod('web');
  await t.rejects(lab.exec('web', ['true']), /no pod web/);
  t.notOk(namespacesOf(lab.id).some((name) => name.endsWith('-web')));
});

t.test('two labs stand side by side and do not see each other', { skip }, async (t) => {
  const [one, two] = await Promise.all([start(t), start(t)]);
  await Promise.all([one.addPod({ name: 'a' }), two.addPod({ name: 'a' })]);
  await one.exec('a', ask);
  t.equal((await one.imds.log()).requests.length, 1);
  t.equal((await two.imds.log()).requests.length, 0);
  await t.rejects(createLab({ id: one.id }), /there already/);
  t.equal((await one.exec('a', ask)).code, 0, 'the refused lab has not hurt it');
});

t.test('down leaves no namespace, no process and no file, and may be called again', { skip }, async (t) => {
  const lab = await start(t, { pods: [{ name: 'one' }] });
  const sleeping = lab.exec('one', ['sleep', '600']);
  await eventually('sleep runs', () => pidsIn(`pi-${lab.id}-pod-one`).length > 0);
  const pids = namespacesOf(lab.id).flatMap(pidsIn);
  t.ok(pids.length >= 3, 'IMDS, the API and the command');
  lab.down();
  await sleeping;
  t.ok(isGone(lab.id, pids));
  lab.down();
});

t.test('refuses an id that would not fit into names', { skip }, async (t) => {
  for (const id of ['', 'a-b', 'toolongid', 'A']) await t.rejects(createLab({ id }), /a lab's id/);
});

t.test('Ctrl-C and SIGTERM of its owner take the lab down', { skip }, async (t) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const { child, id, pids } = await ownedElsewhere(t);
    child.kill(signal);
    t.same(await once(child, 'exit'), [null, signal]);
    t.ok(isGone(id, pids), signal);
  }
});

t.test('a lab whose owner was killed with SIGKILL is swept by the next', { skip }, async (t) => {
  const { child, id, pids } = await ownedElsewhere(t);
  child.kill('SIGKILL');
  await once(child, 'exit');
  t.equal(namespacesOf(id).length, 3);
  await start(t);
  t.ok(isGone(id, pids));
});

/** A lab that belongs to another process. */
async function ownedElsewhere(test: Test) {
  const script = `
    const { createLab } = await import(${JSON.stringify(import.meta.resolve('./lab.ts'))});
    const lab = await createLab({ pods: [{ name: 'one' }] });
    console.log(lab.id);
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  test.teardown(() => child.kill('SIGKILL'));
  const [id] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { child, id, pids: pidsIn(azureOf(id)) };
}

function isGone(id: string, pids: readonly number[]): boolean {
  const alive = pids.filter((pid) => startTime(pid) !== undefined);
  return namespacesOf(id).length === 0 && alive.length === 0 && !existsSync(folderOf(id));
}
