import { hostname } from 'node:os';
import type { ApplyDoors, Write } from './assign/apply-doors.ts';
import type { PlanSettings } from './assign/snapshot.ts';
import type { MicConfig } from './config/mic-flags.ts';
import type { Environment } from './config/parse.ts';
import { version } from './config/version.ts';
import { AssignedObjects } from './kube/assigned-objects.ts';
import { Connection } from './kube/connection.ts';
import { Events } from './kube/events.ts';
import { Leader } from './kube/leader.ts';
import { leaseIn } from './kube/lease.ts';
import { originalLockIn } from './kube/original-lock.ts';
import type { KubeSource } from './kube/settings.ts';
import { Turns } from './kube/turns.ts';
import { Writer } from './kube/writer.ts';
import { CloudHolder } from './mic/cloud.ts';
import { MicCluster } from './mic/cluster.ts';
import { Controller } from './mic/controller.ts';
import { objectsBy } from './mic/objects.ts';
import { Telling } from './mic/telling.ts';
import { typeUpgrade } from './mic/upgrade.ts';
import { systemClock as clock } from './platform/clock.ts';
import { metricsPages, probePages } from './platform/health.ts';
import type { Logger } from './platform/log.ts';
import { MicMetrics } from './platform/mic-metrics.ts';
import { keepPages } from './platform/pages.ts';
import { runTasks } from './platform/tasks.ts';

/** Different messages of one reason that an object's events tell in a minute, and events that may wait. */
const eventLimits = { alike: 10, room: 1_000 } as const;
/** Between two looks whether the caches are filled, ms. */
const syncMs = 60_000;

export interface MicOptions {
  readonly config: MicConfig;
  readonly kube: KubeSource;
  /** Where the cloud configuration is without `--cloudconfig`. */
  readonly env: Environment;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * The controller, from start to end. Resolves when it was told to end and has given up its lease; rejects with AppError for what
 * makes a start impossible.
 */
export async function runMic({ config, kube, env, log, signal }: MicOptions): Promise<void> {
  const metrics = new MicMetrics();
  const random = Math.random;
  const userAgent = [`pod-identity/MIC/${version}`, config.customUserAgent].join(' ').trim();
  const identity = config.leaderElectionInstance || hostname();
  const cloud = await CloudHolder.open({ config, env, clock, userAgent, metrics, log });
  const connection = new Connection({ source: kube, userAgent, clock });
  // Of its own, so that no other request holds a renewal up.
  const leaseConnection = new Connection({ source: kube, userAgent, clock });
  log.info({ version, identity, namespaced: config.forceNamespaced }, 'starting');

  // observe: what is in the cluster
  const onChange = (): void => controller.trigger();
  const cluster = new MicCluster({ connection, log, metrics, onChange });
  const count = (outcome: string): void => metrics.events.inc({ outcome });
  const events = new Events({ connection, node: identity, log, count, ...eventLimits });
  const telling = new Telling({ clock, events, metrics, log, refOf: (about) => cluster.refOf(about) });

  // plan and apply: what should be there, and how it comes there
  const turns = new Turns({ clock, qps: config.clientQps, perLane: config.createDeleteBatch });
  const writer = new Writer({ connection, turns, random });
  const immutable = (): PlanSettings['immutable'] => [...config.immutableUserMsis, ...cloud.azure.own];
  const doors: ApplyDoors = {
    ...{ clock, random, log },
    arm: {
      identitiesOf: (machine) => cloud.azure.arm.identitiesOf(machine),
      patch: (...sent) => cloud.azure.arm.patch(...sent),
    },
    objects: objectsBy(new AssignedObjects(writer)),
    tell: (outcry) => telling.outcry(outcry),
    onWrite: (...written) => noteWrite(metrics, ...written),
    isFresh: () => cluster.isFresh(),
  };
  const controller = new Controller({
    doors,
    applySettings: {
      get immutable() {
        return immutable();
      },
      batch: config.createDeleteBatch,
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

  // one at a time: of several MICs the leader works
  const place = { namespace: config.leaderElectionNamespace, name: config.leaderElectionName };
  const leader = new Leader({
    ...{ identity, clock, random, log },
    lease: leaseIn(leaseConnection, place),
    original: originalLockIn(leaseConnection, place),
    durationMs: config.leaderElectionDuration,
    tell: (about, event) => events.report(about, event),
  });
  const work = async (term: AbortSignal): Promise<void> => {
    metrics.elections.inc();
    await typeUpgrade({ config, connection, writer, log }, term);
    while (!term.aborted && !(await cluster.caches.whenSynced(syncMs, term)));
    await controller.lead(term);
  };

  // what operators and scrapers ask
  const problems = (): string[] => cluster.caches.problems();
  const probes = probePages({ active: () => leader.leading, problems });
  const scrape = metricsPages(async () => {
    metrics.ready.set(problems().length === 0 ? 1 : 0);
    metrics.leading.set(leader.leading ? 1 : 0);
    for (const [resource, ms] of cluster.caches.ages()) metrics.watchAge.set({ resource }, ms / 1000);
    return metrics.page();
  }, clock);
  try {
    await runTasks(signal, {
      watch: (ending) => cluster.caches.run(ending),
      lead: (ending) => leader.run(ending, work),
      cloud: (ending) => cloud.run(ending, onChange),
      events: (ending) => events.run(ending),
      probes: (ending) => keepPages(config.httpProbePort, probes, { clock, log, ending }),
      metrics: (ending) => keepPages(config.prometheusPort, scrape, { clock, log, ending }),
    });
    log.info({}, 'stopped');
  } finally {
    await Promise.all([cloud.close(), connection.close(), leaseConnection.close()]);
  }
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
