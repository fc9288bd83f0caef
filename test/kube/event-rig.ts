import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { Connection } from '../../lib/kube/connection.ts';
import type { KubeEvent, PodRef } from '../../lib/kube/event-body.ts';
import { type EventOutcome, PodEvents } from '../../lib/kube/events.ts';
import { eventually } from '../lab/eventually.ts';
import { defaultTokens, nmi, type Rule, type Tokens, type User } from '../lab/kube/access.ts';
import { connectKube, type KubeClient } from '../lab/kube/client.ts';
import type { KubeInput } from '../lab/kube/object.ts';
import { type KubeApi, startKubeApi } from '../lab/kube/server.ts';
import { MemoryLog, SleepClock } from './rig.ts';

export const missing: KubeEvent = { type: 'Warning', reason: 'NoBinding', message: 'Something is missing.' };

/** A pod; its uid is that of its namespace and name. */
export function podRef(name: string, namespace = 'apps'): PodRef {
  return { uid: `uid-${namespace}-${name}`, namespace, name };
}

/** Events of pods over a connection, sent while it runs; the test ends them. */
export class EventRig {
  readonly log = new MemoryLog();
  readonly outcomes: EventOutcome[] = [];
  readonly events: PodEvents;
  readonly connection: Connection;
  readonly #stop = new AbortController();
  #running = Promise.resolve();

  constructor(t: Test, connection: Connection) {
    this.connection = connection;
    this.events = new PodEvents({
      connection,
      node: 'node-1',
      log: this.log,
      count: (outcome) => void this.outcomes.push(outcome),
    });
    t.teardown(() => this.stop());
  }

  start(): this {
    this.#running = this.events.run(this.#stop.signal);
    return this;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  report(...pods: readonly PodRef[]): void {
    for (const pod of pods) this.events.report(pod, missing);
  }

  /** Reports, and waits for what becomes of it. */
  async outcomeOf(pod: PodRef, event: KubeEvent = missing): Promise<EventOutcome | undefined> {
    const before = this.outcomes.length;
    this.events.report(pod, event);
    await this.decided(before + 1);
    return this.outcomes.at(-1);
  }

  async decided(reports: number): Promise<void> {
    await eventually(`${reports} reports are decided`, () => this.outcomes.length >= reports, { everyMs: 2 });
  }

  count(outcome: EventOutcome): number {
    return this.outcomes.filter((each) => each === outcome).length;
  }
}

/** The agent as the stand-in is to know it, with these rights alone. */
export function agentWith(...rules: readonly Rule[]): { readonly 'nmi-token': User } {
  return { 'nmi-token': { name: nmi.name, rules } };
}

export const mayCreateEvents: Rule = { verbs: ['create'], groups: [''], resources: ['events'] };

interface StandIn {
  readonly api: KubeApi;
  readonly admin: KubeClient;
  readonly clock: SleepClock;
  readonly rig: EventRig;
}

/** A running rig against the stand-in with namespaces `apps` and `other`, as the agent unless `tokens` says otherwise. */
export async function againstStandIn(t: Test, tokens: Tokens = {}): Promise<StandIn> {
  const clock = new SleepClock();
  const api = await startKubeApi({ clock, tokens: { ...defaultTokens, ...tokens } });
  t.teardown(() => api.close());
  for (const name of ['apps', 'other']) api.put(namespaceObject(name));
  const dir = mkdtempSync(join(tmpdir(), 'kube-events-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const kubeconfig = (token: string): string => {
    const path = join(dir, token);
    writeFileSync(path, api.kubeconfig(token));
    return path;
  };
  const admin = await connectKube({ kubeconfig: kubeconfig('admin-token') });
  t.teardown(() => admin.close());
  const source = { kind: 'kubeconfig', path: kubeconfig('nmi-token') } as const;
  const connection = new Connection({ source, userAgent: 'test', clock });
  t.teardown(() => connection.close());
  return { api, admin, clock, rig: new EventRig(t, connection).start() };
}

export function namespaceObject(name: string): KubeInput {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}
