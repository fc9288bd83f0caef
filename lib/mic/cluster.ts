import type { Subject } from '../assign/apply-doors.ts';
import { keyOf, type Snapshot } from '../assign/snapshot.ts';
import { Caches } from '../kube/caches.ts';
import type { Connection } from '../kube/connection.ts';
import { azureRef, type EventRef, nodeRef } from '../kube/event-body.ts';
import { micAssigned } from '../kube/mic-assigned.ts';
import {
  assignedPods,
  type MicBinding,
  type MicIdentity,
  type MicNode,
  micBindings,
  micIdentities,
  nodes,
} from '../kube/mic-resources.ts';
import { Store } from '../kube/store.ts';
import type { AssignedObject, MicPod } from '../model/assigned-object.ts';
import type { Logger } from '../platform/log.ts';
import type { MicMetrics } from '../platform/mic-metrics.ts';

export interface ClusterOptions {
  readonly connection: Connection;
  readonly log: Logger;
  readonly metrics: MicMetrics;
  /** Something that plans are made from has changed. */
  readonly onChange: () => void;
}

/** What MIC knows of the cluster, kept up to date while `caches` runs. */
export class MicCluster {
  readonly caches: Caches;
  readonly #pods: Store<MicPod>;
  readonly #nodes: Store<MicNode>;
  readonly #bindings: Store<MicBinding>;
  readonly #identities: Store<MicIdentity>;
  readonly #assigned: Store<AssignedObject>;

  constructor({ connection, log, metrics, onChange }: ClusterOptions) {
    const onEvent = (event: string): void => {
      if (event === 'failed') metrics.kubeErrors.inc({ operation_type: 'watch' });
    };
    // The stores tell of changes themselves, and only of those that count.
    this.caches = new Caches({ connection, random: Math.random, log, onEvent, onChange: () => undefined });
    this.#pods = new Store(onChange);
    this.#nodes = new Store(onChange);
    this.#bindings = new Store(onChange);
    this.#identities = new Store(onChange);
    this.#assigned = new Store(onChange);
    this.caches.add(assignedPods(), this.#pods);
    this.caches.add(nodes, this.#nodes);
    this.caches.add(micBindings, this.#bindings);
    this.caches.add(micIdentities, this.#identities);
    this.caches.add(micAssigned(), this.#assigned);
  }

  /** Every cache is filled, and heard of its watch lately. */
  isFresh(): boolean {
    return this.caches.problems().length === 0;
  }

  snapshot(nowMs: number): Snapshot {
    return {
      nowMs,
      pods: [...this.#pods.values()],
      bindings: [...this.#bindings.values()],
      identities: [...this.#identities.values()],
      assigned: [...this.#assigned.values()],
      nodes: new Map([...this.#nodes.values()].map(({ name, providerId }) => [name, providerId])),
    };
  }

  /** For an event about it; undefined for what is not there (any more). */
  refOf(subject: Subject): EventRef | undefined {
    const { kind, name } = subject;
    if (kind === 'Node') return nodeRef(name);
    if (kind === 'Pod') return this.#pods.get(keyOf(subject));
    const stores = {
      AzureIdentity: this.#identities,
      AzureIdentityBinding: this.#bindings,
      AzureAssignedIdentity: this.#assigned,
    };
    const found = stores[kind].get(keyOf(subject));
    return found && azureRef(kind, found);
  }
}
