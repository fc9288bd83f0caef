import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { Test } from 'tap';
import type { Machine } from '../../lib/assign/machine.ts';
import type { CloudConfig } from '../../lib/config/cloud-config.ts';
import { type AzureParts, type AzureSide, azureOf, throttleOf } from '../../lib/mic/azure.ts';
import { type Clock, systemClock } from '../../lib/platform/clock.ts';
import { MicMetrics } from '../../lib/platform/mic-metrics.ts';
import { type FakeProxy, startProxy } from '../fakes/proxy.ts';
import { type ArmSimulator, startArm } from '../lab/arm/arm.ts';
import { issue } from '../lab/entra/issued.ts';
import { type Entra, startEntra } from '../lab/entra/server.ts';
import { sampleIdentity } from '../lab/imds/token.ts';

export const subscription = '5ab00000-0000-4000-8000-000000000000';
export const tenant = 'aaaaaaaa-0000-4000-8000-00000000000a';
export const clientId = 'cccccccc-0000-4000-8000-00000000000c';
export const secret = 'se~cret';
export const [armHost, loginHost] = ['management.azure.example', 'login.azure.example'];
export const vm: Machine = { kind: 'vm', subscription, resourceGroup: 'group', name: 'node1' };
export const red = sampleIdentity('red');
export const redId = red.resourceId.toLowerCase();

export interface AzureRig {
  readonly arm: ArmSimulator;
  readonly entra: Entra;
  readonly proxy: FakeProxy;
  /** Of all that were opened. */
  readonly metrics: MicMetrics;
  open(config?: Partial<CloudConfig>, proxy?: Partial<AzureParts['proxy']>): AzureSide;
}

/** ARM and Entra ID under names that the proxy alone resolves, as in a cluster without a way out. */
export async function azureRig(test: Test, clock: Clock = systemClock): Promise<AzureRig> {
  const tls = issue(armHost, { names: [armHost, '127.0.0.1'] });
  const arm = await startArm({ tls, clock });
  const entra = await startEntra({ host: '127.0.0.1', port: 0, names: [loginHost] });
  const trusted = getCACertificates('default');
  setDefaultCACertificates([...trusted, entra.ca, tls.cert]);
  test.teardown(async () => {
    setDefaultCACertificates(trusted);
    await Promise.all([arm.close(), entra.close()]);
  });
  entra.directory.register({ clientId, tenants: [tenant], secrets: [secret] });
  await arm.configure({ retryAfter: '1' });
  await arm.createIdentities(red);
  await arm.addMachines(vm);
  const proxy = await startProxy(test, { [`${armHost}:443`]: arm.port, [`${loginHost}:443`]: entra.port });
  const metrics = new MicMetrics();
  return {
    ...{ arm, entra, proxy, metrics },
    open: (config, { url = proxy.url, except = '' } = {}) => {
      const parts = { clock, userAgent: 'pod-identity/MIC/test', metrics };
      const side = azureOf(
        { ...plain, ...config },
        { ...parts, throttle: throttleOf(parts), proxy: { url, except } },
      );
      test.teardown(() => side.close());
      return side;
    },
  };
}

export const plain: CloudConfig = {
  cloud: {
    ...{ name: 'AzureStackCloud', arm: `https://${armHost}`, login: loginHost },
    armAudience: 'https://management.azure.com',
  },
  ...{ subscription, resourceGroup: 'group' },
  credential: { kind: 'service-principal', tenant, clientId, secret: () => secret },
};
export const unending = new AbortController().signal;
