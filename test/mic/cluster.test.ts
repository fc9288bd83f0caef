import t, { type Test } from 'tap';
import { MicCluster } from '../../lib/mic/cluster.ts';
import { MicMetrics } from '../../lib/platform/mic-metrics.ts';
import { type MicRig, micRig } from '../kube/mic-rig.ts';
import { MemoryLog } from '../kube/rig.ts';
import { eventually } from '../lab/eventually.ts';

const kin = { apiVersion: 'aadpodidentity.k8s.io/v1' };

interface Running extends MicRig {
  readonly cluster: MicCluster;
  changes(): number;
}

/** A pod, its node, its binding and its identity, watched with the rights of MIC. */
async function running(t: Test): Promise<Running> {
  const rig = await micRig(t);
  const { api, connection } = rig;
  const metadata = (name: string) => ({ namespace: 'apps', name });
  const spec = { azureIdentity: 'i', selector: 's' };
  api.put({ ...kin, kind: 'AzureIdentity', metadata: metadata('i'), spec: { type: 0, clientID: 'c' } });
  api.put({ ...kin, kind: 'AzureIdentityBinding', metadata: metadata('b'), spec });
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } };
  api.put({ ...node, spec: { providerID: 'azure:///n' } });
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata('web'), uid: 'uid-web' } };
  api.put({ ...pod, spec: { nodeName: 'n' }, status: { phase: 'Running' } });
  let changes = 0;
  const parts = { connection, log: new MemoryLog(), metrics: new MicMetrics() };
  const cluster = new MicCluster({ ...parts, onChange: () => void changes++ });
  const stop = new AbortController();
  const ended = cluster.caches.run(stop.signal);
  t.teardown(async () => {
    stop.abort();
    await ended;
  });
  await eventually('the caches are synced', () => cluster.caches.synced, { everyMs: 2 });
  return { ...rig, cluster, changes: () => changes };
}

t.test('sees pods, bindings, identities, assignments and nodes, with the rights of MIC', async (t) => {
  const { cluster } = await running(t);
  const { nowMs, pods, bindings, identities, assigned, nodes } = cluster.snapshot(7);
  t.equal(nowMs, 7);
  t.match([...pods], [{ name: 'web', node: 'n', ended: false }]);
  t.match([...bindings], [{ name: 'b', selector: 's' }]);
  t.match([...identities], [{ name: 'i', clientId: 'c', json: /"kind":"AzureIdentity"/ }]);
  t.strictSame([...assigned], []);
  t.strictSame([...nodes], [['n', 'azure:///n']]);
  await eventually('every watch is open', () => cluster.isFresh(), { everyMs: 2 });
});

t.test('tells of a change that plans are made from, and of no other', async (t) => {
  const { cluster, api, changes } = await running(t);
  await eventually('every watch is open', () => cluster.isFresh(), { everyMs: 2 });
  const before = changes();
  const pod = api.get('Pod', 'apps', 'web');
  if (!pod) throw new Error('no pod');
  const conditions = [{ type: 'Ready', status: 'True' }];
  api.put({ ...pod, status: { phase: 'Running', conditions } });
  api.put({ ...pod, status: { phase: 'Succeeded', conditions } });
  await eventually('its end is seen', () => [...cluster.snapshot(0).pods][0]?.ended, { everyMs: 2 });
  t.equal(changes(), before + 1);
});

t.test('knows what an event has to name', async (t) => {
  const { cluster, api } = await running(t);
  const uid = api.get('AzureIdentity', 'apps', 'i')?.metadata.uid ?? '';
  const apps = (name: string) => ({ namespace: 'apps', name });
  const seen = cluster.refOf({ kind: 'AzureIdentity', ...apps('i') });
  t.match(seen, { kind: 'AzureIdentity', name: 'i', uid, resourceVersion: /\d/ });
  const pod = { uid: 'uid-web', namespace: 'apps', name: 'web' };
  t.match(cluster.refOf({ kind: 'Pod', ...apps('web') }), pod);
  t.match(cluster.refOf({ kind: 'Node', namespace: '', name: 'n' }), { kind: 'Node', uid: 'n' });
  for (const kind of ['AzureIdentity', 'AzureIdentityBinding', 'AzureAssignedIdentity', 'Pod'] as const)
    t.equal(cluster.refOf({ kind, ...apps('none') }), undefined);
});
