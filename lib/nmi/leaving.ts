import { once } from 'node:events';
import type { NmiConfig } from '../config/nmi-flags.ts';
import type { Connection } from '../kube/connection.ts';
import { OwnDaemonSet } from '../kube/own-daemonset.ts';
import { readOwnPod } from '../kube/own-pod.ts';
import type { KubeSource } from '../kube/settings.ts';
import type { Logger } from '../platform/log.ts';
import type { Task } from '../platform/tasks.ts';
import { type Parting, partingFor } from '../redirect/on-shutdown.ts';

/** For asking the API server once more when the agent is told to end, ms. */
const lastLookMs = 1_000;

/** How the agent will leave: with its rules, or without. */
export interface Leaving {
  /** Keeps up with what `decide` goes by, until `signal` aborts. */
  readonly run: Task;
  /** Once, when told to end, while the connection is open. Takes a second at most, whatever the API server does. */
  decide(): Promise<Parting>;
}

export interface LeavingOptions {
  readonly config: Pick<NmiConfig, 'node' | 'onShutdown'>;
  /** What `connection` was made from. */
  readonly kube: KubeSource;
  readonly connection: Connection;
  readonly log: Logger;
}

export function leavingOf(options: LeavingOptions): Leaving {
  const { onShutdown } = options.config;
  const { run, decide } = onShutdown === 'auto' ? byDaemonSet(options) : always(onShutdown);
  return {
    run: async (signal) => {
      await run(signal);
      if (!signal.aborted) await once(signal, 'abort');
    },
    decide: async () => {
      const parting = await decide();
      options.log.info({ rules: parting.kind, why: parting.why }, 'shutdown decided');
      return parting;
    },
  };
}

function always(kind: Parting['kind']): Leaving {
  return { run: async () => undefined, decide: async () => ({ kind, why: `--on-shutdown=${kind}` }) };
}

function byDaemonSet({ config, kube, connection, log }: LeavingOptions): Leaving {
  const own = new OwnDaemonSet({
    connection,
    ownPod: () => readOwnPod(kube),
    node: config.node,
    log,
    random: Math.random,
    onChange: () => forecast(),
  });
  const forecast = forecaster(own, log);
  return {
    run: (signal) => own.run(signal),
    decide: async () => {
      const { ownership, live } = await own.look(lastLookMs);
      const { kind, why } = partingFor(ownership);
      return { kind, why: live || ownership.kind === 'unknown' ? why : `${why}, as was heard last` };
    },
  };
}

/** Tells what a shutdown would do, at start and whenever that changes. */
function forecaster(own: OwnDaemonSet, log: Logger): () => void {
  let told = '';
  return () => {
    const ownership = own.known();
    const { kind, why } = partingFor(ownership);
    const news = `${kind} ${ownership.kind}`;
    if (ownership.kind === 'unknown' || news === told) return;
    told = news;
    if (ownership.kind === 'unread') {
      const cure = 'grant get, list and watch on daemonsets (group apps) in the namespace of the agent';
      log.warn({ rules: kind, why, cure }, 'no right to watch its own DaemonSet');
    } else log.info({ rules: kind, why }, 'what a shutdown would do');
  };
}
