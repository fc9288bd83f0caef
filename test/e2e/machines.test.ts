import t from 'tap';
import type { KubeObject } from '../lab/kube/object.ts';
import { machinesOf } from './machines.ts';

const set = (name: string): string =>
  `/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/${name}`;

function node(name: string, providerID: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: { providerID } };
}

t.test('nodes of one scale set are one machine', async (t) => {
  const nodes = [0, 1].map((at) => node(`node${at}`, `azure://${set('pool')}/virtualMachines/${at}`));
  const other = node('other', `azure://${set('more')}/virtualMachines/0`);
  t.match(machinesOf([...nodes, other]), [
    { kind: 'vmss', subscription: 's', resourceGroup: 'g', name: 'pool', id: set('pool') },
    { name: 'more', id: set('more') },
  ]);
});

t.test('names a node that is of no scale set', async (t) => {
  t.throws(() => machinesOf([node('kind', 'kind://docker/kind/kind')]), /node kind has no providerID/);
});
