import { hostname } from 'node:os';
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
import type { Controller } from './mic/controller.ts';
import { Telling } from './mic/telling.ts';
import { typeUpgrade } from './mic/upgrade.ts';
import { controllerOf } from './mic/work.ts';
import { systemClock as clock } from './platform/clock.ts';
import { metricsPages, probePages } from './platform/health.ts';
import type { Logger } from './platform/log.ts';
import { MicMetrics } from './platform/mic-metrics.ts';
import { keepPages, type Pages } from './platform/pages.ts';
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

/** What the tasks of MIC share. */
interface Mic extends Omit<MicOptions, 'kube' | 'env' | 'signal'> {
  /** Of this instance, in the lease. */
  readonly identity: string;
  readonly metrics: MicMetrics;
  readonly connection: Connection;
  /** Of its own, so that no other request holds a renewal up. */
  readonly leaseConnection: Connection;
  readonly cluster: MicCluster;
  readonly events: Events;
}

/**
 * The controller, from start to end. Resolves when it was told to end and has given up its lease; rejects with AppError for what
 * makes a start impossible.
 */
export async function runMic({ config, kube, env, log, signal }: MicOptions): Promise<void> {
  const metrics = new MicMetrics();
  const userAgent = [`pod-identity/MIC/${version}`, config.customUserAgent].join(' ').trim();
  const identity = config.leaderElectionInstance || hostname();
  const cloud = await CloudHolder.open({ config, env, clock, userAgent, metrics, log });
  const connection = new Connection({ source: kube, userAgent, clock });
  const leaseConnection = new Connection({ source: kube, userAgent, clock });
  sayStart(config, identity, log);
  // observe: what is in the cluster
  const onChange = (): void => controller.trigger();
  const cluster = new MicCluster({ connection, log, metrics, onChange });
  const count = (outcome: string): void => metrics.events.inc({ outcome });
  const events = new Events({ connection, node: identity, log, count, ...eventLimits });
  // plan and apply: what should be there, and how it comes there
  const turns = new Turns({ clock, qps: config.clientQps, perLane: config.createDeleteBatch });
  const writer = new Writer({ connection, turns, random: Math.random });
  const telling = new Telling({ clock, events, metrics, log, refOf: (about) => cluster.refOf(about) });
  const objects = new AssignedObjects(writer);
  const parts = { config, cloud, cluster, objects, telling, metrics, clock, random: Math.random, log };
  const controller = controllerOf(parts);
  // one at a time: of several MICs the leader works
  const mic = { config, log, identity, metrics, connection, leaseConnection, cluster, events };
  const leader = leaderOf(mic);
  const { probes, scrape } = pagesOf(mic, leader);
  try {
    await runTasks(signal, {
      watch: (ending) => cluster.caches.run(ending),
      lead: (ending) => leader.run(ending, (term) => work(mic, writer, controller, term)),
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

function sayStart(config: MicConfig, identity: string, log: Logger): void {
  log.info({ version, identity, namespaced: config.forceNamespaced }, 'starting');
  if (config.updateUserMsiMaxRetry === undefined) return;
  const why = 'a refused change is divided until those at fault stand alone, whatever that takes';
  log.warn({ flag: '--update-user-msi-max-retry', why }, 'flag without effect');
}

function leaderOf({ config, identity, leaseConnection, events, log }: Mic): Leader {
  const place = { namespace: config.leaderElectionNamespace, name: config.leaderElectionName };
  return new Leader({
    ...{ identity, clock, random: Math.random, log },
    lease: leaseIn(leaseConnection, place),
    original: originalLockIn(leaseConnection, place),
    durationMs: config.leaderElectionDuration,
    tell: (about, event) => events.report(about, event),
  });
}

/** What the leader does in its term. */
async function work(mic: Mic, writer: Writer, controller: Controller, term: AbortSignal): Promise<void> {
  const { config, connection, cluster, metrics, log } = mic;
  metrics.elections.inc();
  while (!term.aborted && !(await cluster.caches.whenSynced(syncMs, term)));
  // Not before there are CRDs to look at.
  await typeUpgrade({ config, connection, writer, log }, term);
  await controller.lead(term);
}

/** What operators and scrapers ask. */
function pagesOf(
  { cluster, metrics }: Mic,
  leader: Leader,
): { readonly probes: Pages; readonly scrape: Pages } {
  const problems = (): string[] => cluster.caches.problems();
  const probes = probePages({ active: () => leader.leading, problems });
  const scrape = metricsPages(async () => {
    metrics.ready.set(problems().length === 0 ? 1 : 0);
    metrics.leading.set(leader.leading ? 1 : 0);
    for (const [resource, ms] of cluster.caches.ages()) metrics.watchAge.set({ resource }, ms / 1000);
    return metrics.page();
  }, clock);
  return { probes, scrape };
}
