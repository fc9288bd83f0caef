import type { Clock } from '../platform/clock.ts';
import type { NmiMetrics } from '../platform/metrics.ts';
import type { TokenSource } from './source.ts';

/** The same source, each of its calls timed and its failures counted under the original's operation type. */
export function measured(
  source: TokenSource,
  operation: string,
  metrics: NmiMetrics,
  clock: Clock,
): TokenSource {
  return {
    authority: (identity) => source.authority(identity),
    credential: (identity) => source.credential(identity),
    async fetch(identity, resource) {
      const started = clock.monotonic();
      try {
        return await source.fetch(identity, resource);
      } catch (error) {
        metrics.imdsErrors.inc({ operation_type: operation });
        throw error;
      } finally {
        metrics.imds.observe({ operation_type: operation }, (clock.monotonic() - started) / 1000);
      }
    },
  };
}
