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
import { AppError, messageOf } from './model/errors.ts';
import { identityTypes } from './model/identity.ts';
import { bridgeCare } from './nmi/bridges.ts';
import { type Cluster, clusterOf } from './nmi/cluster.ts';
import { addressesOf, standingOf } from './nmi/listeners.ts';
import { stagesOf } from './nmi/stages.ts';
import { systemClock as clock } from './platform/clock.ts';
import { systemExec as exec } from './platform/exec.ts';
import { openHealth } from './platform/health.ts';
import { createHttpClient } from './platform/http.ts';
import type { Logger } from './platform/log.ts';
import { NmiMetrics } from './platform/metrics.ts';
import { runTasks } from './platform/tasks.ts';
import { checkKubenet } from './pods/kubenet.ts';
import { Hold } from './policy/hold.ts';
import { kernelSourceTowards, type ListenPlan, planListen } from './redirect/node-address.ts';
import { createRedirect, type Redirect } from './redirect/redirect.ts';
import { Broker } from './tokens/broker.ts';
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
  log.info({ version, node: config.node, mode: config.operationMode }, 'starting');
  await refuseKubenet(config, log);

  // redirect: the guard before anything else, so that no packet passes by while the rest starts
  const doors = { readFile: read, sourceTowards: kernelSourceTowards };
  const plan = await planListen(config.nmiListenAddress, config.metadataIp, doors);
  const redirect = redirectOf(config, plan, log, metrics);
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
  const imds = createHttpClient({
    origin: `http://${upstream.ip}:${upstream.port}`,
    connections: 5,
    maxBytes: 64 * 1024,
    clock,
  });
  const source = createImdsSource(imds, userAgent);
  const broker = new Broker({
    clock,
    sources: new Map([
      [identityTypes.managedIdentity, measured(source, 'adal_token_msi_userassignedid', metrics, clock)],
    ]),
    onPaid: (payment) => metrics.payments.inc({ payment }),
    onFetched: (identity, token) => objectIds.learn(identity, token),
    onRenewalFailed: ({ namespace, name }, error) =>
      log.warn(
        { identity: `${namespace}/${name}`, why: messageOf(error) },
        'token not renewed; the old one serves',
      ),
  });

  // metadata: hear a request, and answer in IMDS's words
  const passThrough = createPassThrough({ ...upstream, clock, deadlineMs: passThroughMs });
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
    record(served);
    if (config.podEvents) tell(events, served);
  };
  const listeners = addressesOf(config, plan).map((host) => ({
    host,
    listener: new MetadataListener(handler, {
      clock,
      onServed,
      standingOf: (address) => standingOf(address, host !== plan.listen, cluster),
    }),
  }));

  const serve = async (ending: AbortSignal): Promise<void> => {
    for (const { host, listener } of listeners) await listener.listen(host, config.nmiPort);
    await redirect.redirect();
    const listen = listeners.map(({ host }) => `${host}:${config.nmiPort}`);
    log.info({ version, node: config.node, listen, why: plan.why }, 'serving pods');
    await redirect.keep(ending);
  };
  const problems = (): string[] => [
    ...cluster.caches.problems(),
    ...(listeners.every(({ listener }) => listener.listening) ? [] : ['the listener is not open']),
    ...rulesMissing(redirect),
  ];
  const health = await openHealth({
    clock,
    probePort: config.httpProbePort,
    metricsPort: config.prometheusPort,
    active: () => redirect.state().redirect === 'present',
    problems,
    metrics: () => {
      metrics.ready.set(problems().length === 0 ? 1 : 0);
      metrics.waiting.set(hold.waiting);
      metrics.cached.set(broker.size);
      for (const [resource, ms] of cluster.caches.ages()) metrics.watchAge.set({ resource }, ms / 1000);
      const { guard, redirect: jump } = redirect.state();
      for (const [what, standing] of Object.entries({ guard, redirect: jump })) {
        metrics.rules.set({ what }, { present: 1, absent: 0, unknown: -1 }[standing]);
      }
      return metrics.page();
    },
  });
  try {
    const watch = (ending: AbortSignal): Promise<void> => cluster.caches.run(ending);
    await runTasks(signal, {
      watch,
      serve,
      events: (ending) => events.run(ending),
      bridges: (ending) => bridges.keep(ending),
    });
    await bridges.withdraw();
    hold.end(); // a 404 that clients retry, in place of a connection that is cut when the drain is over
    const drain = async (): Promise<void> => {
      await Promise.all(listeners.map(({ listener }) => listener.close(drainMs)));
    };
    await leave(redirect, drain, log);
  } finally {
    health.close();
    passThrough.close();
    await Promise.all([imds.close(), connection.close()]);
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
async function leave(redirect: Redirect, drain: () => Promise<void>, log: Logger): Promise<void> {
  try {
    log.info({ withdrawn: await redirect.withdraw(drain) }, 'stopped');
  } catch (error) {
    const cure = 'run bin/cleanup-iptables on this node';
    log.error({ why: messageOf(error), cure }, 'rules are left');
    throw error;
  }
}

function redirectOf(config: NmiConfig, plan: ListenPlan, log: Logger, metrics: NmiMetrics): Redirect {
  const { metadataIp, metadataPort, nmiPort } = config;
  return createRedirect({
    exec,
    clock,
    log,
    readFile: read,
    random: Math.random,
    rules: { metadataIp, metadataPort, listen: plan.listen, target: { ip: plan.target, port: nmiPort } },
    backend: config.iptablesBackend,
    updateSeconds: config.iptUpdateIntervalSec,
    conntrackDeletion: config.enableConntrackDeletion,
    onRepair: (what) => metrics.repairs.inc({ what }),
  });
}

function rulesMissing(redirect: Redirect): string[] {
  const { why, ...state } = redirect.state();
  const because = why === undefined ? '' : ` (${why})`;
  return (['guard', 'redirect'] as const)
    .filter((name) => state[name] !== 'present')
    .map((name) => `${name} rules: ${state[name] === 'unknown' ? 'not known' : state[name]}${because}`);
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

function read(path: string): Promise<string> {
  return readFile(path, 'utf8');
}
