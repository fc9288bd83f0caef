import t from 'tap';
import { armIdOf, machineKey, machineOf, machineOfNode } from '../../lib/assign/machine.ts';
import { resourceIdOf } from '../../lib/assign/resource-id.ts';
import { armId, home } from './making.ts';

const base = '/subscriptions/s-1/resourceGroups/MC_g(1).x/providers/Microsoft.Compute';
const place = { subscription: 's-1', resourceGroup: 'MC_g(1).x' };

t.test('reads the machine of a providerID, in any letter case', async (t) => {
  const rows = {
    [`azure://${base}/virtualMachines/vm-1`]: { kind: 'vm', ...place, name: 'vm-1' },
    [`azure://${base}/virtualMachineScaleSets/set/virtualMachines/12`]: {
      kind: 'vmss',
      ...place,
      name: 'set',
    },
    [`azure://${base}/virtualMachineScaleSets/flex/virtualMachines/flex_1a2b3c`]: {
      kind: 'vmss',
      ...place,
      name: 'flex',
    },
    [`azure://${base}/virtualMachineScaleSets/set`]: { kind: 'vmss', ...place, name: 'set' },
    '': { kind: 'vm', ...home, name: 'node1' },
  };
  for (const [providerId, machine] of Object.entries(rows))
    t.same(machineOfNode('node1', providerId, home), machine);
  const loud = `AZURE://${base.toUpperCase()}/VIRTUALMACHINESCALESETS/Set/VIRTUALMACHINES/0`;
  t.match(machineOfNode('node1', loud, home), { kind: 'vmss', name: 'Set', resourceGroup: 'MC_G(1).X' });
});

t.test('knows no machine for any other providerID', async (t) => {
  const wrong = [
    'kind://docker/kind/kind-worker',
    'aws:///eu-west-1a/i-0123',
    'azure://',
    `azure:/${base}/virtualMachines/vm`,
    base,
    `azure://${base}/virtualMachines/vm/virtualMachines/2`,
    `azure://${base}/virtualMachines/`,
    `azure://${base}/virtualMachines/a/../b`,
    `azure://${base}/virtualMachines/..`,
    `azure://${base}/virtualMachines/a?b`,
    `azure://${base}/virtualMachines/a%2f`,
    `azure://${base}/virtualMachines/vm\n`,
    `azure://${base}/virtualMachineScaleSets/set/virtualMachines/1/extensions/x`,
    `azure://${base.replace('Compute', 'Network')}/virtualMachines/vm`,
    `azure://${base.replace('s-1', '')}/virtualMachines/vm`,
    `azure://${base}/virtualMachines/${'x'.repeat(129)}`,
  ];
  for (const providerId of wrong) t.equal(machineOfNode('node1', providerId, home), undefined, providerId);
});

t.test('an ARM id of a machine reads as it is written, and equal machines have one key', async (t) => {
  for (const kind of ['vm', 'vmss'] as const) {
    const machine = { kind, ...place, name: 'Name' };
    t.same(machineOf(armIdOf(machine)), machine);
    t.equal(machineKey(machine), machineKey({ ...machine, name: 'NAME', resourceGroup: 'mc_G(1).X' }));
  }
  t.not(machineKey({ kind: 'vm', ...place, name: 'n' }), machineKey({ kind: 'vmss', ...place, name: 'n' }));
});

t.test('an id of a managed identity is compared in lower case, and nothing else is one', async (t) => {
  t.equal(resourceIdOf(armId('Demo_1')), armId('Demo_1').toLowerCase());
  t.equal(resourceIdOf(armId('demo').toUpperCase()), armId('demo').toLowerCase());
  t.ok(resourceIdOf(armId('demo').replace('/group/', '/grüße.(1)_x/')), 'a resource group of any script');
  const wrong = [
    '',
    'demo',
    `${armId('demo')}/`,
    ` ${armId('demo')}`,
    armId('a/b'),
    armId('..'),
    armId(''),
    armId('a b'),
  ];
  wrong.push(
    armId('demo').slice(1),
    `x${armId('demo')}`,
    `${armId('demo')}\n`,
    armId('demo').replace('sub/', '../'),
  );
  wrong.push(armId('demo').replace('ManagedIdentity', 'Compute'), armId('x'.repeat(129)), armId('a%2e'));
  for (const text of wrong) t.equal(resourceIdOf(text), undefined, text);
});
