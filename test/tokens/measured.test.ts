import t from 'tap';
import { NmiMetrics } from '../../lib/platform/metrics.ts';
import { measured } from '../../lib/tokens/measured.ts';
import type { TokenSource } from '../../lib/tokens/source.ts';
import { FakeClock } from '../fakes/clock.ts';
import { failureOf } from '../fakes/failure.ts';
import { anIdentity } from '../fakes/model.ts';

const token = { accessToken: 'secret', expiresOn: 2, notBefore: 1, tokenType: 'Bearer' };

function bench(failure?: Error) {
  const clock = new FakeClock();
  const metrics = new NmiMetrics();
  const source: TokenSource = {
    authority: ({ name }) => `for ${name}`,
    credential: ({ name }) => `of ${name}`,
    async fetch() {
      await clock.sleep(1500);
      if (failure) throw failure;
      return token;
    },
  };
  return { clock, metrics, source: measured(source, 'adal_token_msi', metrics, clock) };
}

t.test('is the same source to whoever asks it', async (t) => {
  const { source, clock } = bench();
  t.same([source.authority(anIdentity()), source.credential(anIdentity())], ['for demo', 'of demo']);
  const fetched = source.fetch(anIdentity(), 'api://x');
  await clock.advance(1500);
  t.equal(await fetched, token);
});

t.test('times each call in seconds, and counts failures beside', async (t) => {
  const away = new Error('away');
  for (const failure of [undefined, away]) {
    const { source, clock, metrics } = bench(failure);
    const fetched = failure
      ? failureOf(() => source.fetch(anIdentity(), 'api://x'))
      : source.fetch(anIdentity(), 'x');
    await clock.advance(1500);
    t.equal(await fetched, failure ?? token);
    const text = await metrics.registry.metrics();
    t.match(
      text,
      'aadpodidentity_imds_operations_duration_seconds_sum{operation_type="adal_token_msi"} 1.5\n',
    );
    t.match(
      text,
      'aadpodidentity_imds_operations_duration_seconds_count{operation_type="adal_token_msi"} 1\n',
    );
    const errors = text.includes(
      'aadpodidentity_imds_operations_errors_count{operation_type="adal_token_msi"} 1\n',
    );
    t.equal(errors, failure !== undefined);
  }
});
