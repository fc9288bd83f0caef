import { readFile } from 'node:fs/promises';
import type { NmiConfig } from './config/nmi-flags.ts';
import { version } from './config/version.ts';
import { Caches } from './kube/caches.ts';
import { Connection } from './kube/connection.ts';
import { listOnce } from './kube/list.ts';
import {
  azureIdentities,
  azureIdentityBindings,
  azurePodIdentityExceptions,
  podsOfNode,
} from './kube/resources.ts';
import type { KubeSource } from './kube/settings.ts';
import { createHandler } from './metadata/handler.ts';
import { createPassThrough } from './metadata/pass-through.ts';
import { createRecorder } from './metadata/record.ts';
import { MetadataListener } from './metadata/server.ts';
import { messageOf } from './model/errors.ts';
import { identityTypes } from './model/identity.ts';
import { systemClock as clock } from './platform/clock.ts';
import { systemExec as exec } from './platform/exec.ts';
import { createHttpClient } from './platform/http.ts';
import type { Logger } from './platform/log.ts';
import { NmiMetrics } from './platform/metrics.ts';
import { servePages } from './platform/pages.ts';
import { runTasks } from './platform/tasks.ts';
import { waitFor } from './platform/wait.ts';
import { createDirectory } from './pods/directory.ts';
import { LiveLook } from './pods/live-look.ts';
import { PodIndex } from './pods/pod-index.ts';
import { Bindings, Identities } from './policy/books.ts';
import { decide } from './policy/decide.ts';
import { Exceptions } from './policy/exceptions.ts';
import { explain } from './policy/explain.ts';
import { kernelSourceTowards, type ListenPlan, planListen } from './redirect/node-address.ts';
import { createRedirect, type Redirect } from './redirect/redirect.ts';
import { Broker } from './tokens/broker.ts';
import { createImdsSource } from './tokens/imds.ts';
import { measured } from './tokens/measured.ts';

/** A token request waits this long for what is not there yet, ms: below the 10 s at which clients were seen to give up. */
const holdMs = 8_000;
/** For a live list of this node's pods, on a request's path, ms. */
const liveLookMs = 2_000;
/** For a pass-through exchange with IMDS, ms. */
const passThroughMs = 10_000;
/** For requests in flight when the agent is told to end, ms. */
const drainMs = 5_000;

const userAgent = `pod-identity/NMI/${version}`;

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
  const connection = new Connection({ source: kube, userAgent, clock });
  const caches = new Caches({
    connection,
    random: Math.random,
    log,
    onEvent: (event) => event === 'failed' && metrics.kubeErrors.inc({ operation_type: 'watch' }),
  });

  // redirect: the guard before anything else, so that no packet passes by while the rest starts
  const plan = await planListen(config.nmiListenAddress, config.metadataIp, {
    readFile: read,
    sourceTowards: kernelSourceTowards,
  });
  const redirect = redirectOf(config, plan, log, metrics);
  await redirect.raiseGuard();

  // pods: who is calling?
  const pods = podsOfNode(config.node);
  const index = new PodIndex();
  caches.add(pods, index);
  const live = new LiveLook({ clock, list: () => listOnce(connection, pods, { deadlineMs: liveLookMs }) });
  const directory = createDirectory({
    index,
    fresh: () => caches.isFresh(pods.name),
    live: (ip) => live.holderOf(ip),
    onLiveFailure: (error) => {
      metrics.kubeErrors.inc({ operation_type: 'get_pod_list' });
      log.warn({ why: messageOf(error) }, 'live pod list failed');
    },
  });

  // policy: what may it have?
  const books = { exceptions: new Exceptions(), bindings: new Bindings(), identities: new Identities() };
  caches.add(azurePodIdentityExceptions, books.exceptions);
  caches.add(azureIdentityBindings, books.bindings);
  caches.add(azureIdentities, books.identities);

  // tokens: pay for it
  const imds = createHttpClient({ origin: originOf(config), connections: 5, maxBytes: 64 * 1024, clock });
  const source = measured(createImdsSource(imds, userAgent), 'adal_token_msi_userassignedid', metrics, clock);
  const broker = new Broker({
    clock,
    sources: new Map([[identityTypes.managedIdentity, source]]),
    onPaid: (payment) => metrics.payments.inc({ payment }),
  });

  // metadata: hear a request, and answer in IMDS's words
  const passThrough = createPassThrough({
    ip: config.metadataIp,
    port: config.metadataPort,
    clock,
    deadlineMs: passThroughMs,
  });
  const handler = createHandler(
    {
      callerOf: async (address, gone) => {
        const ready = caches.synced || (await waitFor(caches.whenSynced(), holdMs, { clock, signal: gone }));
        if (!ready) return { kind: 'not-synced' };
        return address === undefined ? { kind: 'unknown' } : directory(address);
      },
      decide: (pod, request) => decide(pod, request, books),
      exceptionOf: (pod) => books.exceptions.covering(pod),
      explain,
      token: (identity, resource) => broker.get(identity, resource),
      passThrough,
    },
    { ...config, clock },
  );
  const listener = new MetadataListener(handler, { clock, onServed: createRecorder(log, metrics) });

  const serve = async (ending: AbortSignal): Promise<void> => {
    const port = await listener.listen(plan.listen, config.nmiPort);
    await redirect.redirect();
    log.info({ version, node: config.node, listen: `${plan.listen}:${port}`, why: plan.why }, 'serving pods');
    await redirect.keep(ending);
  };
  const pages = await openPages(config, metrics, {
    active: () => redirect.state().redirect === 'present',
    problems: () => notReady(redirect, caches, listener),
  });
  try {
    await runTasks(signal, { watch: (ending) => caches.run(ending), serve });
    await leave(redirect, listener, log);
  } finally {
    for (const page of pages) page.close();
    passThrough.close();
    await Promise.all([imds.close(), connection.close()]);
  }
}

/** Requests in flight get their answer before the rules that carry it go. */
async function leave(redirect: Redirect, listener: MetadataListener, log: Logger): Promise<void> {
  try {
    const withdrawn = await redirect.withdraw(() => listener.close(drainMs));
    log.info({ withdrawn }, 'stopped');
  } catch (error) {
    log.error({ why: messageOf(error), cure: 'run bin/cleanup-iptables on this node' }, 'rules are left');
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
    onRepair: (what) => metrics.repairs.inc({ what }),
  });
}

/** Live is not ready: each sentence says what is missing; none means that a pod's request would be answered. */
function notReady(redirect: Redirect, caches: Caches, listener: MetadataListener): string[] {
  const { guard, redirect: jump, why } = redirect.state();
  const reasons = caches.problems();
  if (!listener.listening) reasons.push('the listener is not open');
  if (guard !== 'present') reasons.push(`guard rules: ${guard}${why === undefined ? '' : ` (${why})`}`);
  if (jump !== 'present') reasons.push(`redirect rules: ${jump}${why === undefined ? '' : ` (${why})`}`);
  return reasons;
}

interface Health {
  readonly active: () => boolean;
  readonly problems: () => string[];
}

async function openPages(
  config: NmiConfig,
  metrics: NmiMetrics,
  { active, problems }: Health,
): Promise<{ close(): void }[]> {
  const probes = await servePages(config.httpProbePort, {
    // The original's words: `Active` once the redirect stands.
    '/healthz': () => ({ status: 200, body: active() ? 'Active' : 'Not Active' }),
    '/readyz': () => {
      const reasons = problems();
      return reasons.length === 0
        ? { status: 200, body: 'ready\n' }
        : { status: 503, body: `${reasons.join('\n')}\n` };
    },
  });
  const scrape = await servePages(config.prometheusPort, {
    '/metrics': async () => {
      metrics.ready.set(problems().length === 0 ? 1 : 0);
      return { status: 200, type: metrics.registry.contentType, body: await metrics.registry.metrics() };
    },
  });
  return [probes, scrape];
}

function originOf({ metadataIp, metadataPort }: NmiConfig): string {
  return `http://${metadataIp}:${metadataPort}`;
}

function read(path: string): Promise<string> {
  return readFile(path, 'utf8');
}
