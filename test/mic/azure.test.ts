import t from 'tap';
import { isAppError } from '../../lib/model/errors.ts';
import { failureOf } from '../fakes/failure.ts';
import {
  armHost,
  clientId,
  loginHost,
  plain,
  red,
  redId,
  azureRig as rig,
  tenant,
  unending,
  vm,
} from './azure-rig.ts';

t.test('a service principal reaches Entra ID and ARM by the proxy that is configured', async (t) => {
  const { arm, entra, proxy, open } = await rig(t);
  const side = open();
  const patch = { identity: { type: 'UserAssigned', userAssignedIdentities: { [redId]: {} } } } as const;
  await side.arm.patch(vm, patch, unending);
  t.same((await side.arm.identitiesOf(vm)).userAssigned, new Map([[redId, red.clientId]]));
  t.ok(
    (await arm.log()).every(({ caller }) => caller === clientId),
    'as that service principal',
  );
  t.equal(entra.directory.records.length, 1, 'one token serves all requests');
  t.same([...new Set(proxy.connected)].sort(), [`${loginHost}:443`, `${armHost}:443`]);
  t.same(side.own, [], 'it has no identity on any machine to take off');
});

t.test('what is excepted from the proxy is asked without it', async (t) => {
  const { arm, proxy, open } = await rig(t);
  const cloud = { ...plain.cloud, arm: arm.origin };
  const side = open({ cloud }, { except: 'other.example,127.0.0.1' });
  t.equal((await side.arm.identitiesOf(vm)).userAssigned.size, 0);
  t.same([...new Set(proxy.connected)], [`${loginHost}:443`]);
});

t.test('a proxy that refuses is a trouble of ARM, and the next try may go well', async (t) => {
  const { proxy, open } = await rig(t);
  const side = open({ cloud: { ...plain.cloud, arm: 'https://other.azure.example' } });
  const error = await failureOf(() => side.arm.identitiesOf(vm));
  t.ok(isAppError(error, 'arm-unreachable'), error.message);
  t.match(proxy.connected, [`${loginHost}:443`, 'other.azure.example:443']);
});

t.test('no proxy unless one is configured', async (t) => {
  const { proxy, open } = await rig(t);
  const error = await failureOf(() => open({}, { url: '' }).arm.identitiesOf(vm));
  t.match(error, { code: 'entra-unreachable' });
  t.same(proxy.connected, []);
});

t.test("a refused secret is told by Entra ID's answer, without the secret", async (t) => {
  const { open } = await rig(t);
  const wrong = 'wr~ong';
  const side = open({ credential: { kind: 'service-principal', tenant, clientId, secret: () => wrong } });
  const error = await failureOf(() => side.arm.identitiesOf(vm));
  t.match(error, { code: 'entra-refused', status: 401 });
  t.notMatch(JSON.stringify(error) + error.message, wrong);
});

t.test("calls are counted by the original's names, and those that fail apart", async (t) => {
  const { arm, metrics, open } = await rig(t);
  const side = open();
  await arm.addMachines({ ...vm, kind: 'vmss' });
  for (const kind of ['vm', 'vmss'] as const) {
    const machine = { ...vm, kind };
    await side.arm.identitiesOf(machine);
    const patch = { identity: { type: 'UserAssigned', userAssignedIdentities: { [redId]: {} } } } as const;
    // Done at once, so that nobody has to look again.
    await arm.fault({ kind: 'garbage', method: 'PATCH', body: '{}' });
    await side.arm.patch(machine, patch, unending);
    const wrong = { identity: { type: 'None', userAssignedIdentities: {} } } as const;
    await failureOf(() => side.arm.patch(machine, wrong, unending));
  }
  const { body } = await metrics.page();
  const name = 'aadpodidentity_cloud_provider_operations';
  for (const kind of ['vm', 'vmss']) {
    t.match(body, `${name}_duration_seconds_count{operation_type="${kind}_get"} 1\n`);
    t.match(body, `${name}_duration_seconds_count{operation_type="${kind}_update"} 2\n`);
    t.match(body, `${name}_errors_count{operation_type="${kind}_update"} 1\n`);
    t.notMatch(body, `${name}_errors_count{operation_type="${kind}_get"}`);
  }
});
