import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { CloudHolder } from '../../lib/mic/cloud.ts';
import { MicMetrics } from '../../lib/platform/mic-metrics.ts';
import { FakeClock } from '../fakes/clock.ts';
import { refusalOf } from '../fakes/failure.ts';
import { MemoryLog } from '../kube/rig.ts';
import { eventually } from '../lab/eventually.ts';

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

async function rig(test: Test): Promise<Rig> {
  const folder = mkdtempSync(join(tmpdir(), 'mic-cloud-'));
  test.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'azure.json');
  writeFileSync(path, JSON.stringify(fields));
  const [clock, log, stop] = [new FakeClock(), new MemoryLog(), new AbortController()];
  const config = { cloudConfig: path, httpsProxy: '', noProxy: '' };
  const holder = await CloudHolder.open({
    ...{ config, env: {}, clock, log },
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

t.test('does not start without a file that can work', async (t) => {
  const { clock, log } = await rig(t);
  const config = { cloudConfig: '/nowhere/azure.json', httpsProxy: '', noProxy: '' };
  const parts = { clock, log, userAgent: 'test', metrics: new MicMetrics(), env: {} };
  const refused = await refusalOf(() => CloudHolder.open({ ...parts, config }));
  t.match(refused, { code: 'flag-invalid', message: /^--cloudconfig: ENOENT/ });
});
