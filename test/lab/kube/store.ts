import type { Kind } from './kinds.ts';
import { type KubeObject, keyOf } from './object.ts';

/** One write. `before` is absent for a create, `after` for a removal. */
export interface Change {
  readonly revision: number;
  readonly kind: Kind;
  readonly key: string;
  readonly before?: KubeObject;
  readonly after?: KubeObject;
}

/** More than any test writes, and a bound for a demo that runs for days. */
const maxHistory = 20_000;

/** What etcd is to the API server: one revision counter, the objects, and the history back to the last compaction. */
export class Store {
  readonly #tables = new Map<Kind, Map<string, KubeObject>>();
  readonly #listeners = new Set<(change: Change) => void>();
  #history: Change[] = [];
  // Not 0, so that "resourceVersion 1" is as much of the past as it is on a server that runs for a while.
  #revision = 1000;
  #floor = 1000;

  get revision(): number {
    return this.#revision;
  }

  /** The oldest revision whose state is still known. */
  get floor(): number {
    return this.#floor;
  }

  get(kind: Kind, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.#tables.get(kind)?.get(keyOf(namespace, name));
  }

  /** Objects by key, as they stood at `revision` (now, by default). The caller made sure that it is not below the floor. */
  state(kind: Kind, revision = this.#revision): ReadonlyMap<string, KubeObject> {
    const now = this.#tables.get(kind) ?? new Map<string, KubeObject>();
    if (revision >= this.#revision) return now;
    const then = new Map(now);
    for (const change of this.since(revision).reverse()) {
      if (change.kind !== kind) continue;
      if (change.before) then.set(change.key, change.before);
      else then.delete(change.key);
    }
    return then;
  }

  /** Changes after `revision`, oldest first. */
  since(revision: number): Change[] {
    return this.#history.filter((change) => change.revision > revision);
  }

  /** Writes with a new resourceVersion and tells the listeners. */
  put(kind: Kind, object: KubeObject): KubeObject {
    const revision = this.#revision + 1;
    const after = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
    const key = keyOf(object.metadata.namespace, object.metadata.name);
    const before = this.#tables.get(kind)?.get(key);
    if (!this.#tables.has(kind)) this.#tables.set(kind, new Map());
    this.#tables.get(kind)?.set(key, after);
    this.#record({ revision, kind, key, after, ...(before ? { before } : {}) });
    return after;
  }

  remove(kind: Kind, namespace: string | undefined, name: string): void {
    const key = keyOf(namespace, name);
    const before = this.#tables.get(kind)?.get(key);
    if (!before) return;
    this.#tables.get(kind)?.delete(key);
    this.#record({ revision: this.#revision + 1, kind, key, before });
  }

  /** Forgets the history: an older resourceVersion or continue token answers 410 from here on. */
  compact(): void {
    this.#history = [];
    this.#floor = this.#revision;
  }

  /** Calls `listener` after every write. Returns the call that ends it. */
  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #record(change: Change): void {
    this.#revision = change.revision;
    this.#history.push(change);
    if (this.#history.length > maxHistory) {
      const half = this.#history.splice(0, maxHistory / 2);
      this.#floor = half.at(-1)?.revision ?? this.#floor;
    }
    for (const listener of this.#listeners) listener(change);
  }
}
