import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import t, { type Test } from 'tap';
import type { Machine } from '../../lib/assign/machine.ts';
import type { CloudConfig } from '../../lib/config/cloud-config.ts';
import { type AzureParts, type AzureSide, azureOf } from '../../lib/mic/azure.ts';
import { isAppError } from '../../lib/model/errors.ts';
import { systemClock } from '../../lib/platform/clock.ts';
import { MicMetrics } from '../../lib/platform/mic-metrics.ts';
import { failureOf } from '../fakes/failure.ts';
import { type FakeProxy, startProxy } from '../fakes/proxy.ts';
import { type ArmSimulator, startArm } from '../lab/arm/arm.ts';
import { issue } from '../lab/entra/issued.ts';
import { type Entra, startEntra } from '../lab/entra/server.ts';
import { sampleIdentity } from '../lab/imds/token.ts';

const tenant = 'aaaaaaaa-0000-4000-8000-00000000000a';
const clientId = 'cccccccc-0000-4000-8000-00000000000c';
const secret = 'se~cret';
const [armHost, loginHost] = ['management.azure.example', 'login.azure.example'];
const vm: Machine = { kind: 'vm', subscription: 'sub', resourceGroup: 'group', name: 'node1' };
const red = sampleIdentity('red');
const redId = red.resourceId.toLowerCase();

interface Rig {
  readonly arm: ArmSimulator;
  readonly entra: Entra;
  readonly proxy: FakeProxy;
  open(config?: Partial<CloudConfig>, proxy?: Partial<AzureParts['proxy']>): AzureSide;
}

/** ARM and Entra ID under names that the proxy alone resolves, as in a cluster without a way out. */
async function rig(test: Test): Promise<Rig> {
  const tls = issue(armHost, { names: [armHost, '127.0.0.1'] });
  const arm = await startArm({ tls });
  const entra = await startEntra({ host: '127.0.0.1', port: 0, names: [loginHost] });
  const trusted = getCACertificates('default');
  setDefaultCACertificates([...trusted, entra.ca, tls.cert]);
  test.teardown(async () => {
    setDefaultCACertificates(trusted);
    await Promise.all([arm.close(), entra.close()]);
  });
  entra.directory.register({ clientId, tenants: [tenant], secrets: [secret] });
  await arm.createIdentities(red);
  await arm.addMachines(vm);
  const proxy = await startProxy(test, { [`${armHost}:443`]: arm.port, [`${loginHost}:443`]: entra.port });
  return {
    ...{ arm, entra, proxy },
    open: (config, { url = proxy.url, except = '' } = {}) => {
      const parts = { clock: systemClock, userAgent: 'pod-identity/MIC/test', metrics: new MicMetrics() };
      const side = azureOf({ ...plain, ...config }, { ...parts, proxy: { url, except } });
      test.teardown(() => side.close());
      return side;
    },
  };
}

const plain: CloudConfig = {
  cloud: {
    ...{ name: 'AzureStackCloud', arm: `https://${armHost}`, login: loginHost },
    armAudience: 'https://management.azure.com',
  },
  ...{ subscription: 'sub', resourceGroup: 'group' },
  credential: { kind: 'service-principal', tenant, clientId, secret: () => secret },
};
const unending = new AbortController().signal;

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
