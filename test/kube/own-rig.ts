import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { Connection } from '../../lib/kube/connection.ts';
import { OwnDaemonSet } from '../../lib/kube/own-daemonset.ts';
import { readOwnPod } from '../../lib/kube/own-pod.ts';
import type { KubeSource } from '../../lib/kube/settings.ts';
import type { Ownership } from '../../lib/model/ownership.ts';
import { eventually } from '../lab/eventually.ts';
import { nmi, type User } from '../lab/kube/access.ts';
import type { Json, KubeInput } from '../lab/kube/object.ts';
import { podToken } from '../lab/kube/pod-token.ts';
import { type KubeApi, startKubeApi } from '../lab/kube/server.ts';
import { MemoryLog, SleepClock } from './rig.ts';

const namespace = 'kube-system';
export const linux = { 'kubernetes.io/os': 'linux' };

/** The agent's pod, controlled by the DaemonSet with this UID unless said otherwise. */
export function ownPod(owner = controller('d1')): KubeInput {
  const metadata = { namespace, name: 'nmi-x2x7k', uid: 'p1', ownerReferences: [owner] };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { nodeName: 'node1' } };
}

export function controller(uid: string, more: Json = {}): Json {
  return { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'nmi', uid, controller: true, ...more };
}

/** The DaemonSet; `pods` is the spec of its pods. */
export function daemonSet(metadata: object = {}, pods: object = { nodeSelector: linux }): KubeInput {
  const labels = { app: 'nmi' };
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { namespace, name: 'nmi', uid: 'd1', ...metadata },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: pods } },
  };
}

/** The agent's rights without these resources. */
export function nmiWithout(...resources: readonly string[]): User {
  const rules = nmi.rules.map((rule) => ({
    ...rule,
    resources: rule.resources.filter((resource) => !resources.includes(resource)),
  }));
  return { ...nmi, rules };
}

/** An OwnDaemonSet against the API's stand-in, which holds its pod, its DaemonSet and its node, under a clock that stands. */
export class OwnRig {
  readonly api: KubeApi;
  readonly clock = new SleepClock();
  readonly log = new MemoryLog();
  readonly source: KubeSource;
  readonly connection: Connection;
  readonly own: OwnDaemonSet;
  changes = 0;
  readonly token = podToken({ ...ownPod().metadata, name: 'nmi-x2x7k' });
  readonly #stop = new AbortController();
  #running = Promise.resolve();

  private constructor(api: KubeApi, folder: string) {
    this.api = api;
    const path = join(folder, 'kubeconfig');
    writeFileSync(path, api.kubeconfig(this.token));
    this.source = { kind: 'kubeconfig', path };
    this.connection = new Connection({ source: this.source, userAgent: 'test', clock: this.clock });
    this.own = new OwnDaemonSet({
      connection: this.connection,
      ownPod: () => readOwnPod(this.source),
      node: 'node1',
      log: this.log,
      random: () => 0,
      onChange: () => {
        this.changes += 1;
      },
    });
  }

  static async create(t: Test): Promise<OwnRig> {
    const api = await startKubeApi();
    t.teardown(() => api.close());
    const folder = mkdtempSync(join(tmpdir(), 'own-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const rig = new OwnRig(api, folder);
    t.teardown(() => rig.stop());
    api.put(ownPod());
    api.put(daemonSet());
    api.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node1', labels: linux } });
    await rig.mayBe(nmi);
    return rig;
  }

  /** What the token is good for; null: nothing, as when the service account is deleted. */
  mayBe(user: User | null): Promise<void> {
    return this.api.fault({ tokens: { [this.token]: user } });
  }

  start(): void {
    this.#running = this.own.run(this.#stop.signal);
  }

  /** Starts, and waits until the DaemonSet is watched. */
  async watch(): Promise<void> {
    this.start();
    await eventually('the DaemonSet is watched', () => this.api.counts().watches === 1, { everyMs: 2 });
    await this.knows('found');
  }

  async knows(kind: Ownership['kind']): Promise<void> {
    await eventually(`it knows ${kind}`, () => this.own.known().kind === kind, { everyMs: 2 });
  }

  /** Moves the clock on, second by second, until the condition holds. */
  async advanceUntil(what: string, condition: () => boolean): Promise<void> {
    const look = async (): Promise<boolean> => {
      await this.clock.advance(1_000);
      return condition();
    };
    await eventually(what, look, { everyMs: 2 });
  }

  /** Resolves when it has ended, as it does by itself with nothing to watch. */
  ended(): Promise<void> {
    return this.#running;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.connection.close();
  }
}
