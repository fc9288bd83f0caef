import t from 'tap';
import { Caches } from '../../lib/kube/caches.ts';
import { MicCluster } from '../../lib/kube/mic-cluster.ts';
import { eventually } from '../lab/eventually.ts';
import { micRig } from './mic-rig.ts';
import { MemoryLog } from './rig.ts';

const kin = { apiVersion: 'aadpodidentity.k8s.io/v1' };
const place = { namespace: 'default', name: 'web-apps-i', podNamespace: 'apps', pod: 'web', node: 'n' };

async function running(t: Parameters<typeof micRig>[0]) {
  const rig = await micRig(t);
  const put = (kind: string, name: string, spec: Record<string, unknown>) =>
    rig.api.put({ ...kin, kind, metadata: { namespace: 'apps', name }, spec });
  put('AzureIdentity', 'i', { type: 0, clientID: 'c' });
  put('AzureIdentityBinding', 'b', { azureIdentity: 'i', selector: 's' });
  rig.api.put({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n' },
    spec: { providerID: 'azure:///n' },
  });
  const metadata = { namespace: 'apps', name: 'web', uid: 'uid-web' };
  rig.api.put({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata,
    spec: { nodeName: 'n' },
    status: { phase: 'Running' },
  });
  const { connection } = rig;
  const caches = new Caches({ connection, random: () => 0, log: new MemoryLog(), onChange: () => undefined });
  let changes = 0;
  const cluster = new MicCluster(caches, () => void changes++);
  const stop = new AbortController();
  const ended = caches.run(stop.signal);
  t.teardown(async () => {
    stop.abort();
    await ended;
  });
  await eventually('the caches are synced', () => caches.synced, { everyMs: 2 });
  return { ...rig, put, cluster, changes: () => changes };
}

t.test('sees pods, bindings, identities, assignments and nodes, with the rights of MIC', async (t) => {
  const { cluster } = await running(t);
  const { pods, bindings, identities, assigned, nodes } = cluster.seen();
  t.match([...pods], [{ name: 'web', node: 'n', ended: false }]);
  t.match([...bindings], [{ name: 'b', selector: 's' }]);
  t.match([...identities], [{ name: 'i', clientId: 'c' }]);
  t.strictSame([...assigned], []);
  t.strictSame([...nodes], [['n', 'azure:///n']]);
});

t.test('hands out what is to be copied as long as it says what was planned with', async (t) => {
  const { cluster, put, api, changes } = await running(t);
  const [binding] = cluster.seen().bindings;
  const [identity] = cluster.seen().identities;
  if (!binding || !identity) throw new Error('nothing seen');
  const planned = { ...place, binding, identity };
  t.equal(cluster.assignmentOf(planned)?.identity.json, identity.json);
  const before = changes();
  const metadata = { namespace: 'apps', name: 'i', uid: identity.uid, labels: { a: 'b' } };
  const labelled = api.put({ ...kin, kind: 'AzureIdentity', metadata, spec: { type: 0, clientID: 'c' } });
  await eventually('the label is seen', () => changes() > before, { everyMs: 2 });
  const { metadata: copied } = JSON.parse(cluster.assignmentOf(planned)?.identity.json ?? '{}');
  t.strictSame(copied, labelled.metadata, 'the copy is of what stands now');
  put('AzureIdentity', 'i', { type: 0, clientID: 'other' });
  await eventually('the change is seen', () => !cluster.assignmentOf(planned), { everyMs: 2 });
  api.remove('AzureIdentityBinding', 'apps', 'b');
  await eventually('the removal is seen', () => !cluster.refOf('AzureIdentityBinding', binding), {
    everyMs: 2,
  });
});

t.test('knows what an event has to name', async (t) => {
  const { cluster, api } = await running(t);
  const uid = api.get('AzureIdentity', 'apps', 'i')?.metadata.uid ?? '';
  const apps = (name: string) => ({ namespace: 'apps', name });
  t.match(cluster.refOf('AzureIdentity', apps('i')), {
    kind: 'AzureIdentity',
    name: 'i',
    uid,
    resourceVersion: /\d/,
  });
  t.match(cluster.refOf('Pod', apps('web')), { uid: 'uid-web', namespace: 'apps', name: 'web' });
  t.match(cluster.refOf('Node', { namespace: '', name: 'n' }), { kind: 'Node', uid: 'n' });
  for (const kind of ['AzureIdentity', 'AzureIdentityBinding', 'AzureAssignedIdentity', 'Pod'] as const)
    t.equal(cluster.refOf(kind, apps('none')), undefined);
});
