import t from 'tap';
import { type TypeUpgrade, upgradeTypes } from '../../lib/kube/type-upgrade.ts';
import { type MicRig, micRig } from './mic-rig.ts';
import { MemoryLog } from './rig.ts';

const { signal } = new AbortController();
const configMap = 'aad-pod-identity-config';
const key = 'type-upgrade-status';

function upgrade({ connection, writer }: MicRig, log = new MemoryLog()): Promise<TypeUpgrade> {
  const names = { namespace: 'default', configMap, key, version: '2.0.0' };
  return upgradeTypes({ connection, writer, ...names, log }, signal);
}

t.test('marks the ConfigMap when there is nothing to upgrade, and looks no second time', async (t) => {
  const rig = await micRig(t);
  t.strictSame(await upgrade(rig), { kind: 'nothing' });
  t.match(rig.api.get('ConfigMap', 'default', configMap), { data: { [key]: '2.0.0' } });
  rig.made();
  t.strictSame(await upgrade(rig), { kind: 'marked', by: '2.0.0' });
  t.strictSame(rig.made(), ['GET 200']);
});

t.test('believes the mark of the original', async (t) => {
  const rig = await micRig(t);
  const metadata = { namespace: 'default', name: configMap };
  rig.api.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { [key]: 'v1.8.17' } });
  t.strictSame(await upgrade(rig), { kind: 'marked', by: 'v1.8.17' });
});

t.test('leaves alone what else the ConfigMap holds', async (t) => {
  const rig = await micRig(t);
  const metadata = { namespace: 'default', name: configMap };
  rig.api.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { mine: 'x' } });
  t.strictSame(await upgrade(rig), { kind: 'nothing' });
  t.match(rig.api.get('ConfigMap', 'default', configMap), { data: { mine: 'x', [key]: '2.0.0' } });
});

t.test('names the objects of before 1.6.0, and does not mark', async (t) => {
  const rig = await micRig(t);
  const kin = { apiVersion: 'aadpodidentity.k8s.io/v1' };
  const named = (name: string) => ({ namespace: 'apps', name });
  rig.api.put({ ...kin, kind: 'AzureIdentity', metadata: named('new'), spec: { clientID: 'c' } });
  rig.api.put({ ...kin, kind: 'AzureIdentity', metadata: named('old'), spec: { ClientID: 'c' } });
  rig.api.put({ ...kin, kind: 'AzureIdentityBinding', metadata: named('b'), spec: { Selector: 's' } });
  const log = new MemoryLog();
  const objects = ['azureidentities apps/old', 'azureidentitybindings apps/b'];
  t.strictSame(await upgrade(rig, log), { kind: 'left', objects });
  t.equal(rig.api.get('ConfigMap', 'default', configMap), undefined);
  t.match(log.lines, [{ level: 'warn', fields: { objects, count: 2, cure: /apply the CRDs/ } }]);
});
