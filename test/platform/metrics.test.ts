import t from 'tap';
import { NmiMetrics, resourceLabel } from '../../lib/platform/metrics.ts';

t.test('names well-known audiences, with or without a slash at the end', async (t) => {
  t.equal(resourceLabel('https://vault.azure.net'), 'https://vault.azure.net');
  t.equal(resourceLabel('https://vault.azure.net/'), 'https://vault.azure.net');
  t.equal(resourceLabel('https://management.azure.com/'), 'https://management.azure.com');
});

t.test('never makes a label of what a client chose', async (t) => {
  for (const resource of [
    '',
    '/',
    'https://vault.azure.net//',
    'api://x"} 1\n',
    'https://vault.azure.net.evil.test',
  ])
    t.equal(resourceLabel(resource), 'other', JSON.stringify(resource));
  t.equal(resourceLabel(undefined), '', 'there was none');
});

t.test("keeps the original's names", async (t) => {
  const text = await new NmiMetrics().registry.metrics();
  const names = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name);
  for (const name of [
    'aadpodidentity_nmi_operations_duration_seconds',
    'aadpodidentity_imds_operations_duration_seconds',
    'aadpodidentity_imds_operations_errors_count',
    'aadpodidentity_kubernetes_api_operations_errors_count',
  ]) {
    t.ok(names.includes(name), name);
  }
});

t.test('two agents in one process count apart', async (t) => {
  const [one, other] = [new NmiMetrics(), new NmiMetrics()];
  one.repairs.inc({ what: 'guard' });
  t.match(await one.registry.metrics(), 'podidentity_rules_repairs_total{what="guard"} 1');
  t.notMatch(await other.registry.metrics(), 'what="guard"');
});
