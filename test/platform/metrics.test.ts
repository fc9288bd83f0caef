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

t.test('has every name of its own with the same prefix', async (t) => {
  const text = await new NmiMetrics().registry.metrics();
  const names = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name ?? '');
  for (const name of names) t.match(name, /^(aadpodidentity|podidentity|process|nodejs)_/);
  for (const name of [
    'podidentity_answers_total',
    'podidentity_token_payments_total',
    'podidentity_rules_repairs_total',
    'podidentity_pod_events_total',
    'podidentity_waiting_requests',
    'podidentity_ready',
    'podidentity_token_cache_events_total',
    'podidentity_imds_calls_total',
    'podidentity_imds_calls_in_flight',
    'podidentity_imds_calls_queued',
    'podidentity_imds_calls_wait_seconds',
    'podidentity_imds_calls_refused_total',
    'podidentity_imds_paused_seconds_total',
  ]) {
    t.ok(names.includes(name), name);
  }
});

t.test('the page is what a scraper reads', async (t) => {
  const metrics = new NmiMetrics();
  metrics.waiting.set(3);
  metrics.podEvents.inc({ outcome: 'sent' });
  const { status, type, body } = await metrics.page();
  t.equal(status, 200);
  t.match(type, /^text\/plain; version=0\.0\.4/);
  t.match(body, '\npodidentity_waiting_requests 3\n');
  t.match(body, '\npodidentity_pod_events_total{outcome="sent"} 1\n');
});

t.test('two agents in one process count apart', async (t) => {
  const [one, other] = [new NmiMetrics(), new NmiMetrics()];
  one.repairs.inc({ what: 'guard' });
  t.match(await one.registry.metrics(), 'podidentity_rules_repairs_total{what="guard"} 1');
  t.notMatch(await other.registry.metrics(), 'what="guard"');
});
