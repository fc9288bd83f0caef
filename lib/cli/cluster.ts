import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import { version } from '../config/version.ts';
import { Connection } from '../kube/connection.ts';
import { type KubeSource, loadSettings } from '../kube/settings.ts';
import { AppError, isAppError } from '../model/errors.ts';
import { usageError } from './arguments.ts';
import type { World } from './world.ts';

export interface ClusterFlags {
  readonly kubeconfig: string;
  readonly context: string;
  /** Undefined for a verb that has no --namespace. */
  readonly namespace?: string;
}

/** The cluster that is meant, connected to when it is first asked. */
export class Cluster {
  readonly #flags: ClusterFlags;
  readonly #world: World;
  readonly #progress: (line: string) => void;
  #connection: Connection | undefined;
  #chosen: Chosen | undefined;

  /** `progress` hears what is waited for before the first answer can come. */
  constructor(flags: ClusterFlags, world: World, progress: (line: string) => void) {
    this.#flags = flags;
    this.#world = world;
    this.#progress = progress;
  }

  /** Throws AppError `kubeconfig-unusable`. */
  get connection(): Connection {
    this.#connection ??= this.#connect();
    return this.#connection;
  }

  /** The namespace that is meant: the flag's, else the context's, else `default`. Throws AppError `kubeconfig-unusable`. */
  get namespace(): string {
    if (this.#flags.namespace) return this.#flags.namespace;
    const { config } = this.#choose();
    return config.getContextObject(config.getCurrentContext())?.namespace || 'default';
  }

  async close(): Promise<void> {
    await this.#connection?.close();
  }

  #connect(): Connection {
    const { source, config } = this.#choose();
    const plugin = config.getCurrentUser()?.exec?.command;
    if (typeof plugin === 'string')
      this.#progress(
        `asking ${plugin} for credentials; if it wants you to sign in, run kubectl get nodes first`,
      );
    const userAgent = `pod-identity/podid/${version}`;
    return new Connection({ source, userAgent, clock: this.#world.clock });
  }

  #choose(): Chosen {
    this.#chosen ??= choose(this.#flags, this.#world);
    return this.#chosen;
  }
}

interface Chosen {
  readonly source: KubeSource;
  readonly config: KubeConfig;
}

function choose({ kubeconfig, context }: ClusterFlags, { env, home }: World): Chosen {
  const usual = join(home, '.kube', 'config');
  const path = kubeconfig === '' && existsSync(usual) ? usual : kubeconfig;
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '' } = env;
  if (path === '' && host !== '' && context === '') return chosen({ kind: 'in-cluster', host, port });
  if (path === '')
    throw usageError(`no cluster is named: --kubeconfig takes a file, and there is no ${usual}`);
  return firstOf(path, context);
}

/** Of the files in KUBECONFIG, the first with a context that is whole, as kubectl would mostly have it; it merges them. */
function firstOf(paths: string, context: string): Chosen {
  const files = paths.split(delimiter).filter((path) => path !== '');
  const there = files.length > 1 ? files.filter((path) => existsSync(path)) : files;
  let failed: unknown;
  for (const path of there) {
    try {
      return chosen({ kind: 'kubeconfig', path, ...(context !== '' && { context }) });
    } catch (error) {
      if (!isAppError(error, 'kubeconfig-unusable')) throw error;
      failed ??= error;
    }
  }
  throw failed ?? new AppError('kubeconfig-unusable', `none of the files ${paths} is there`);
}

function chosen(source: KubeSource): Chosen {
  return { source, config: loadSettings(source) };
}
