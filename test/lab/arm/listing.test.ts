import t from 'tap';
import { mintToken, sampleSystemIdentity } from '../imds/token.ts';
import { startArm } from './arm.ts';

const vm = { kind: 'vm', subscription: 's', resourceGroup: 'g' } as const;
const vms = (group: string): string =>
  `/subscriptions/s/resourceGroups/${group}/providers/Microsoft.Compute/virtualMachines?api-version=2019-12-01`;

t.test(
  'lists the VMs of a resource group, in any letter case, and none of another or of scale sets',
  async (t) => {
    const arm = await startArm();
    t.teardown(() => arm.close());
    await arm.addMachines({ ...vm, name: 'one' }, { ...vm, name: 'two' });
    await arm.addMachines(
      { ...vm, resourceGroup: 'g2', name: 'three' },
      { ...vm, kind: 'vmss', name: 'pool' },
    );
    const ask = async (path: string): Promise<unknown> => {
      const { access_token } = JSON.parse(
        mintToken(sampleSystemIdentity(), 'https://management.azure.com/', 3600, Date.now()).body,
      ) as { access_token: string };
      const headers = { authorization: `Bearer ${access_token}` };
      const response = await fetch(`${arm.origin}${path}`, { headers });
      t.equal(response.status, 200);
      return ((await response.json()) as { value: { name: string }[] }).value.map(({ name }) => name);
    };
    t.same(await ask(vms('g')), ['one', 'two']);
    t.same(await ask(vms('G2')), ['three']);
    t.same(await ask(vms('g3')), []);
  },
);
