import type { ApplyDoors, Objects, Write } from '../assign/apply-doors.ts';
import type { PlanSettings } from '../assign/snapshot.ts';
import type { MicConfig } from '../config/mic-flags.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/log.ts';
import type { MicMetrics } from '../platform/mic-metrics.ts';
import type { CloudHolder } from './cloud.ts';
import type { MicCluster } from './cluster.ts';
import { Controller } from './controller.ts';
import type { Telling } from './telling.ts';

export interface WorkParts {
  readonly config: MicConfig;
  readonly cloud: Pick<CloudHolder, 'azure'>;
  readonly cluster: Pick<MicCluster, 'snapshot' | 'isFresh'>;
  readonly objects: Objects;
  readonly telling: Pick<Telling, 'outcry' | 'problems'>;
  readonly metrics: MicMetrics;
  readonly clock: Clock;
  /** 0 to 1, as Math.random. */
  readonly random: () => number;
  readonly log: Logger;
}

/** The leader's work: plans of what the cluster should have, applied to the API server and to Azure as it is configured now. */
export function controllerOf(parts: WorkParts): Controller {
  const { config, cloud, cluster, telling, metrics } = parts;
  const immutable = (): PlanSettings['immutable'] => [...config.immutableUserMsis, ...cloud.azure.own];
  return new Controller({
    doors: doorsOf(parts),
    applySettings: {
      get immutable() {
        return immutable();
      },
      batch: config.createDeleteBatch,
      retryMs: config.updateUserMsiRetryInterval,
      repairMs: config.identityAssignmentReconcileInterval,
    },
    planSettings: () => ({
      namespaced: config.forceNamespaced,
      home: cloud.azure.home,
      graceMs: config.unassignGrace,
      prewarm: config.prewarm === 'binding',
      immutable: immutable(),
    }),
    everyMs: config.syncRetryDuration,
    snapshot: (nowMs) => cluster.snapshot(nowMs),
    onProblems: (problems) => telling.problems(problems),
    metrics,
  });
}

function doorsOf({ cloud, cluster, objects, telling, metrics, clock, random, log }: WorkParts): ApplyDoors {
  return {
    ...{ objects, clock, random, log },
    arm: {
      identitiesOf: (machine) => cloud.azure.arm.identitiesOf(machine),
      patch: (...sent) => cloud.azure.arm.patch(...sent),
    },
    tell: (outcry) => telling.outcry(outcry),
    onWrite: (...written) => noteWrite(metrics, ...written),
    isFresh: () => cluster.isFresh(),
  };
}

/** By the original's names. */
function noteWrite(metrics: MicMetrics, write: Write, ms: number, failed: boolean): void {
  const kinds = {
    create: { metric: metrics.additions, name: 'assigned_identity_addition' },
    update: { metric: metrics.updates, name: 'assigned_identity_update' },
    delete: { metric: metrics.deletions, name: 'assigned_identity_deletion' },
    state: { metric: undefined, name: 'update_azure_assigned_identity_status' },
  } as const;
  const { metric, name } = kinds[write];
  if (failed) metrics.kubeErrors.inc({ operation_type: name });
  else {
    metric?.count.inc();
    metric?.duration.observe(ms / 1000);
  }
}
