import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { holdOf } from './config/load.ts';
import type { NmiConfig } from './config/nmi-flags.ts';
import { version } from './config/version.ts';
import { Connection } from './kube/connection.ts';
import { PodEvents } from './kube/events.ts';
import type { KubeSource } from './kube/settings.ts';
import { createHandler } from './metadata/handler.ts';
import { createPassThrough } from './metadata/pass-through.ts';
import { createRecorder } from './metadata/record.ts';
import { MetadataListener, type Served } from './metadata/server.ts';
import { sharing } from './metadata/sharing.ts';
import { AppError, messageOf } from './model/errors.ts';
import { identityTypes } from './model/identity.ts';
import { bridgeCare } from './nmi/bridges.ts';
import { type Cluster, clusterOf } from './nmi/cluster.ts';
import { leavingOf } from './nmi/leaving.ts';
import { podPorts, standingOf } from './nmi/listeners.ts';
import { wayOf } from './nmi/redirect.ts';
import { servicePrincipalsOf } from './nmi/service-principals.ts';
import { Serving } from './nmi/serving.ts';
import { stagesOf } from './nmi/stages.ts';
import { systemClock as clock } from './platform/clock.ts';
import { systemExec as exec } from './platform/exec.ts';
import { metricsPages, probePages } from './platform/health.ts';
import { createHttpClient } from './platform/http.ts';
import type { Logger } from './platform/log.ts';
import { NmiMetrics } from './platform/metrics.ts';
import { keepPages } from './platform/pages.ts';
import { keepProbeFile } from './platform/probe-file.ts';
import { runTasks } from './platform/tasks.ts';
import { checkKubenet } from './pods/kubenet.ts';
import { Hold } from './policy/hold.ts';
import { kernelSourceTowards, planListen } from './redirect/node-address.ts';
import type { Parting } from './redirect/on-shutdown.ts';
import type { Redirect } from './redirect/redirect.ts';
import { Broker } from './tokens/broker.ts';
import { governed } from './tokens/governed.ts';
import { Governor } from './tokens/governor.ts';
import { governorMeter } from './tokens/governor-meter.ts';
import { createImdsSource } from './tokens/imds.ts';
import { measured } from './tokens/measured.ts';
import { ObjectIds } from './tokens/object-ids.ts';

/** For a pass-through exchange with IMDS, ms. */
const passThroughMs = 10_000;
/** For requests in flight when the agent is told to end, ms. */
const drainMs = 5_000;

export interface NmiOptions {
  readonly config: NmiConfig;
  readonly kube: KubeSource;
  readonly log: Logger;
  /** Told to end. Anything else that ends the agent leaves the rules standing: pods are cut off, not let through. */
  readonly signal: AbortSignal;
}

/**
 * The node agent, from start to end. Resolves when it was told to end and has taken its rules out; rejects with AppError
 * for what makes a start impossible or leaves rules behind.
 */
export async function runNmi({ config, kube, log, signal }: NmiOptions): Promise<void> {
  const metrics = new NmiMetrics();
  const userAgent = [`pod-identity/NMI/${version}`, config.customUserAgent].join(' ').trim();
  const connection = new Connection({ source: kube, userAgent, clock });
  const leaving = leavingOf({ config, kube, connection, log });
  log.info({ version, node: config.node, mode: config.operationMode }, 'starting');
  await refuseKubenet(config, log);

  // redirect: the guard before anything else, so that no packet passes by while the rest starts
  const doors = { readFile: read, sourceTowards: kernelSourceTowards };
  const plan = await planListen(config.nmiListenAddress, config.metadataIp, doors);
  const way = wayOf({ config, plan, exec, clock, log, metrics, serving: () => serving });
  const { redirect, proof } = way;
  await redirect.raiseGuard();

  // pods and policy: who is calling, and what may it have?
  const objectIds = new ObjectIds();
  const hold = new Hold(clock);
  const bridges = bridgeCare(config.pinNeighbours, { exec, clock, log, cluster: () => cluster });
  const onChange = (): void => {
    cluster.policy.changed();
    hold.changed();
    bridges.trigger();
  };
  const objectIdOf = objectIds.of.bind(objectIds);
  const bootedAt = await bootTime();
  const cluster: Cluster = clusterOf({ config, connection, log, metrics, bootedAt, objectIdOf, onChange });

  // tokens: pay for it
  const upstream = { ip: config.metadataIp, port: config.metadataPort };
  const governor = new Governor(clock, governorMeter(metrics));
  const imds = createHttpClient({
    origin: `http://${upstream.ip}:${upstream.port}`,
    connections: 5,
    maxBytes: 64 * 1024,
    clock,
    onAgain: () => governor.count('token'),
  });
  const source = measured(createImdsSource(imds, userAgent), 'adal_token_msi_userassignedid', metrics, clock);
  const principals = servicePrincipalsOf({ config, connection, clock, metrics });
  const broker = new Broker({
    clock,
    sources: new Map([
      [identityTypes.managedIdentity, governed(source, governor.enter)],
      [identityTypes.servicePrincipalSecret, principals.source],
      [identityTypes.servicePrincipalCertificate, principals.source],
    ]),
    onPaid: (payment) => metrics.payments.inc(payment),
    onFetched: (identity, token) => objectIds.learn(identity, token),
    onCache: (event) => metrics.cacheEvents.inc({ event }),
    onRenewalFailed: ({ namespace, name }, error, gone) =>
      log.warn(
        { identity: `${namespace}/${name}`, why: gone ?? messageOf(error) },
        gone ? 'token dropped' : 'token not renewed; the old one serves',
      ),
  });

  // metadata: hear a request, and answer in IMDS's words
  const passing = createPassThrough({ ...upstream, clock, deadlineMs: passThroughMs });
  const passThrough = sharing(passing, governor.enter);
  const handler = createHandler(stagesOf({ log, cluster, hold, broker, objectIds, passThrough }), {
    ...config,
    clock,
    hostToken: config.hostToken === 'on',
    patience: holdOf(config),
  });
  const count = (outcome: string): void => metrics.podEvents.inc({ outcome });
  const events = new PodEvents({ connection, node: config.node, log, count });
  const record = createRecorder(log, metrics);
  const onServed = (served: Served): void => {
    if (way.probe.heard(served)) return; // our own: no pod's request
    record(served);
    if (config.podEvents) tell(events, served);
  };
  const listener = (onlyLocal: boolean): MetadataListener =>
    new MetadataListener(handler, {
      clock,
      onServed,
      standingOf: (address) => {
        const standing = standingOf(address, onlyLocal, cluster);
        if (standing === 'pod' && redirect.state().guard === 'present') proof.seen();
        return standing === 'pod' ? 'known' : standing;
      },
    });
  const serving = new Serving({
    ...{ redirect, listener, clock, log },
    listen: plan.listen,
    ports: podPorts(config, plan.listen),
    hostToken: config.hostToken === 'on',
    whenSynced: (ms, ending) => cluster.caches.whenSynced(ms, ending),
  });

  // what operators and scrapers ask
  const problems = (): string[] => [...cluster.caches.problems(), ...way.problems()];
  const probes = probePages({ active: () => redirect.state().redirect === 'present', problems });
  const scrape = metricsPages(async () => {
    metrics.ready.set(problems().length === 0 ? 1 : 0);
    metrics.proven.set(proof.value());
    metrics.waiting.set(hold.waiting);
    metrics.cached.set(broker.size);
    for (const [resource, ms] of cluster.caches.ages()) metrics.watchAge.set({ resource }, ms / 1000);
    const { guard, redirect: jump } = redirect.state();
    for (const [what, standing] of Object.entries({ guard, redirect: jump })) {
      if (standing !== 'off') metrics.rules.set({ what }, { present: 1, absent: 0, unknown: -1 }[standing]);
    }
    return metrics.page();
  }, clock);
  // At once when told to end: it takes a second at most, and nothing else holds it up.
  const parting = abortOf(signal).then(() => leaving.decide());
  try {
    const watch = (ending: AbortSignal): Promise<void> => cluster.caches.run(ending);
    await runTasks(signal, {
      watch,
      serve: (ending) => serving.run(ending),
      probes: (ending) => keepPages(config.httpProbePort, probes, { clock, log, ending }),
      probeFile: (ending) => keepProbeFile({ path: config.probeFile, problems, clock, log, ending }),
      metrics: (ending) => keepPages(config.prometheusPort, scrape, { clock, log, ending }),
      events: (ending) => events.run(ending),
      bridges: (ending) => bridges.keep(ending),
      proof: (ending) => proof.run(ending),
      leaving: leaving.run,
    });
    await bridges.withdraw();
    hold.end(); // a 404 that clients retry, in place of a connection that is cut when the drain is over
    await leave(redirect, await parting, { drain: () => serving.drain(drainMs), log });
  } finally {
    passThrough.close();
    await Promise.all([imds.close(), principals.close(), connection.close()]);
  }
}

/** Throws AppError `kubenet-refused`. */
async function refuseKubenet(config: NmiConfig, log: Logger): Promise<void> {
  const { kubeletConfig: path, allowNetworkPluginKubenet: allow } = config;
  const verdict = await checkKubenet({ path, allow, readFile: read });
  if (verdict.kind === 'refused') throw new AppError('kubenet-refused', verdict.why);
  if (verdict.kind === 'warning') log.warn({ why: verdict.why }, 'kubenet cannot be ruled out');
}

/** Requests in flight get their answer before the rules that carry it go. */
async function leave(
  redirect: Redirect,
  { kind }: Parting,
  { drain, log }: { readonly drain: () => Promise<void>; readonly log: Logger },
): Promise<void> {
  if (kind === 'keep') {
    await redirect.leaveStanding(drain);
    log.info({}, 'stopped; the rules stay for the next agent');
    return;
  }
  try {
    log.info({ withdrawn: await redirect.withdraw(drain) }, 'stopped');
  } catch (error) {
    const cure = 'run bin/cleanup-iptables on this node';
    log.error({ why: messageOf(error), cure }, 'rules are left');
    throw error;
  }
}

/** A pod that gets no token finds the reason in `kubectl describe pod`, too: `no-binding` as `NoBinding`. */
function tell(events: PodEvents, { trace: { pod, refusal, explanation = '' } }: Served): void {
  if (!pod || !refusal) return;
  const reason = refusal.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  events.report(pod, { type: 'Warning', reason, message: explanation });
}

/** `btime` of /proc/stat, in seconds there. */
async function bootTime(): Promise<number | undefined> {
  const [, seconds] = /^btime (\d+)$/m.exec(await read('/proc/stat').catch(() => '')) ?? [];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

async function abortOf(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

function read(path: string): Promise<string> {
  return readFile(path, 'utf8');
}
