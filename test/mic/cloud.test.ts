import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { CloudHolder } from '../../lib/mic/cloud.ts';
import { MicMetrics } from '../../lib/platform/mic-metrics.ts';
import { FakeClock } from '../fakes/clock.ts';
import { failureOf, refusalOf } from '../fakes/failure.ts';
import { MemoryLog } from '../kube/rig.ts';
import { eventually } from '../lab/eventually.ts';
import { armHost, azureRig, clientId, loginHost, secret, tenant, vm } from './azure-rig.ts';

const subscription = '5ab00000-0000-4000-8000-000000000000';
const identity = 'cccccccc-0000-4000-8000-00000000000c';
const fields = {
  ...{ cloud: 'AzurePublicCloud', tenantId: '7e000000-0000-4000-8000-000000000000' },
  ...{ subscriptionId: subscription, resourceGroup: 'MC_lab' },
  ...{ useManagedIdentityExtension: true, userAssignedIdentityID: identity },
};

interface Rig {
  readonly holder: CloudHolder;
  readonly clock: FakeClock;
  readonly log: MemoryLog;
  /** How often the caller was told to plan anew. */
  changes(): number;
  write(text: string): void;
  /** Passes the pause before the next look at the file. */
  look(): Promise<void>;
}

interface Given {
  readonly fields?: Readonly<Record<string, string | boolean>>;
  readonly clock?: FakeClock;
  readonly httpsProxy?: string;
  /** Of AzureStackCloud, for a file beside azure.json. */
  readonly environment?: Readonly<Record<string, string>>;
}

async function rig(
  test: Test,
  { fields: given = fields, clock = new FakeClock(), httpsProxy = '', environment = {} }: Given = {},
): Promise<Rig> {
  const folder = mkdtempSync(join(tmpdir(), 'mic-cloud-'));
  test.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'azure.json');
  writeFileSync(path, JSON.stringify(given));
  const described = join(folder, 'environment.json');
  writeFileSync(described, JSON.stringify(environment));
  const [log, stop] = [new MemoryLog(), new AbortController()];
  const config = { cloudConfig: path, httpsProxy, noProxy: '' };
  const env = { AZURE_ENVIRONMENT_FILEPATH: described };
  const holder = await CloudHolder.open({
    ...{ config, env, clock, log },
    ...{ userAgent: 'test', metrics: new MicMetrics() },
  });
  let changes = 0;
  const running = holder.run(stop.signal, () => {
    changes += 1;
  });
  test.teardown(async () => {
    stop.abort();
    await running;
    await holder.close();
  });
  return {
    ...{ holder, clock, log, changes: () => changes },
    write: (text) => writeFileSync(path, text),
    look: async () => {
      await eventually('it waits for its next look', () => clock.waiting > 0, { everyMs: 2 });
      await clock.advance(10_000);
    },
  };
}

t.test('works on the Azure that the file names, and never takes its own identity away', async (t) => {
  const { holder } = await rig(t);
  t.same(holder.azure.home, { subscription, resourceGroup: 'MC_lab' });
  t.same(holder.azure.own, [identity]);
});

t.test('without a file it goes by the environment, as aadpodidentity-admin-secret gives it', async (t) => {
  const given = { CLOUD: 'AzureChinaCloud', SUBSCRIPTION_ID: subscription, RESOURCE_GROUP: 'MC_env' };
  const env = { ...given, USE_MSI: 'True', USER_ASSIGNED_MSI_CLIENT_ID: identity };
  const config = { cloudConfig: '', httpsProxy: '', noProxy: '' };
  const parts = {
    clock: new FakeClock(),
    log: new MemoryLog(),
    userAgent: 'test',
    metrics: new MicMetrics(),
  };
  const holder = await CloudHolder.open({ ...parts, config, env });
  t.same([holder.azure.home.resourceGroup, holder.azure.own], ['MC_env', [identity]]);
  const stop = new AbortController();
  const running = holder.run(stop.signal, () => t.fail('there is nothing to change'));
  await parts.clock.advance(60_000);
  stop.abort();
  await running;
  await holder.close();
});

t.test('takes a changed file over while it runs, and has a new plan made', async (t) => {
  const { holder, log, write, look, changes } = await rig(t);
  const before = holder.azure;
  write(JSON.stringify({ ...fields, resourceGroup: 'MC_other', userAssignedIdentityID: '' }));
  await look();
  await eventually('it is taken', () => changes() === 1, { everyMs: 2 });
  t.not(holder.azure, before);
  t.same([holder.azure.home.resourceGroup, holder.azure.own], ['MC_other', ['']]);
  t.match(log.lines, [{ level: 'info', message: 'cloud configuration changed' }]);
});

t.test('a file that cannot work changes nothing; why is told, and no secret in it', async (t) => {
  const { holder, log, write, look, changes } = await rig(t);
  const before = holder.azure;
  write(JSON.stringify({ ...fields, subscriptionId: 'x', aadClientSecret: 'se~cret' }));
  await look();
  await eventually('it is told', () => log.lines.length === 1, { everyMs: 2 });
  t.match(log.lines[0], { level: 'warn', fields: { why: /^subscriptionId in .* is not the id/ } });
  t.notMatch(JSON.stringify(log.lines), 'se~cret');
  t.equal(holder.azure, before);
  write(JSON.stringify({ ...fields, resourceGroup: 'MC_mended' }));
  await look();
  await eventually('the mended one is taken', () => changes() === 1, { everyMs: 2 });
  t.equal(holder.azure.home.resourceGroup, 'MC_mended');
});

t.test('what ARM has asked for outlives the configuration that it was asked of', async (t) => {
  const clock = new FakeClock();
  const { arm, proxy } = await azureRig(t, clock);
  const far = { ...vm, subscription: '5ab00000-0000-4000-8000-00000000000f' };
  await arm.addMachines(far);
  const own = {
    ...{ cloud: 'AzureStackCloud', tenantId: tenant, aadClientId: clientId, aadClientSecret: secret },
    ...{ subscriptionId: vm.subscription, resourceGroup: 'MC_lab' },
  };
  const { holder, write, look, changes } = await rig(t, {
    ...{ fields: own, clock, httpsProxy: proxy.url },
    environment: {
      resourceManagerEndpoint: `https://${armHost}`,
      activeDirectoryEndpoint: `https://${loginHost}`,
      tokenAudience: 'https://management.azure.com',
    },
  });
  await arm.fault({ kind: 'status', status: 429, headers: { 'retry-after': '600' } });
  t.match(await failureOf(() => holder.azure.arm.identitiesOf(vm)), { code: 'arm-throttled' });
  write(JSON.stringify({ ...own, resourceGroup: 'MC_other' }));
  await look();
  await eventually('it is taken', () => changes() === 1, { everyMs: 2 });

  const refused = await failureOf(() => holder.azure.arm.identitiesOf({ ...vm, name: 'node2' }));
  t.match(refused, { code: 'arm-throttled', retryAfter: '590' });
  t.equal((await arm.log()).length, 1, 'the subscription is left in peace');
  t.equal((await holder.azure.arm.identitiesOf(far)).userAssigned.size, 0, 'another one is not');
  await clock.advance(590_000);
  t.equal((await holder.azure.arm.identitiesOf(vm)).userAssigned.size, 0, 'and it is asked again in time');
});

t.test('does not start without a file that can work', async (t) => {
  const { clock, log } = await rig(t);
  const config = { cloudConfig: '/nowhere/azure.json', httpsProxy: '', noProxy: '' };
  const parts = { clock, log, userAgent: 'test', metrics: new MicMetrics(), env: {} };
  const refused = await refusalOf(() => CloudHolder.open({ ...parts, config }));
  t.match(refused, { code: 'flag-invalid', message: /^--cloudconfig: ENOENT/ });
});
