import t from 'tap';
import { NmiMetrics } from '../../lib/platform/metrics.ts';
import { governorMeter } from '../../lib/tokens/governor-meter.ts';

t.test('writes down all that the governor tells, by kind', async (t) => {
  const metrics = new NmiMetrics();
  const meter = governorMeter(metrics);
  meter.standing('token', { inFlight: 5, queued: 12 });
  meter.standing('pass', { inFlight: 1, queued: 0 });
  meter.waited('token', 1_500);
  meter.called('token', 200);
  meter.called('token', 429);
  meter.called('token', 'none');
  meter.called('pass', 'lost');
  meter.refused('token', 'late');
  meter.refused('pass', 'full');
  meter.paused('token', 2_500);
  const { body } = await metrics.page();
  for (const line of [
    'podidentity_imds_calls_in_flight{kind="token"} 5',
    'podidentity_imds_calls_in_flight{kind="pass"} 1',
    'podidentity_imds_calls_queued{kind="token"} 12',
    'podidentity_imds_calls_queued{kind="pass"} 0',
    'podidentity_imds_calls_wait_seconds_sum{kind="token"} 1.5',
    'podidentity_imds_calls_total{kind="token",status="200"} 1',
    'podidentity_imds_calls_total{kind="token",status="429"} 1',
    'podidentity_imds_calls_total{kind="token",status="none"} 1',
    'podidentity_imds_calls_total{kind="pass",status="lost"} 1',
    'podidentity_imds_calls_refused_total{kind="token",why="late"} 1',
    'podidentity_imds_calls_refused_total{kind="pass",why="full"} 1',
    'podidentity_imds_paused_seconds_total{kind="token"} 2.5',
  ])
    t.ok(body.includes(`\n${line}\n`), line);
});
