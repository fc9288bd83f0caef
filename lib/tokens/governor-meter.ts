import type { NmiMetrics } from '../platform/metrics.ts';
import type { Meter } from './governor.ts';

/** What the governor does, in the agent's metrics. */
export function governorMeter(metrics: NmiMetrics): Meter {
  return {
    standing: (kind, { inFlight, queued }) => {
      metrics.imdsInFlight.set({ kind }, inFlight);
      metrics.imdsQueued.set({ kind }, queued);
    },
    waited: (kind, ms) => metrics.imdsWait.observe({ kind }, ms / 1000),
    called: (kind, status) => metrics.imdsCalls.inc({ kind, status: String(status) }),
    refused: (kind, why) => metrics.imdsTurnedAway.inc({ kind, why }),
    paused: (kind, ms) => metrics.imdsPaused.inc({ kind }, ms / 1000),
  };
}
