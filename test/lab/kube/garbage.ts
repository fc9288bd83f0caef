import { type Kind, kinds } from './kinds.ts';
import { isJson, type KubeObject } from './object.ts';
import type { Store } from './store.ts';

/** How dependents of an object that is deleted fare: the finalizer that this leaves on it. */
export const propagation: Readonly<Record<string, string>> = {
  Foreground: 'foregroundDeletion',
  Orphan: 'orphan',
};

/** The write side, as the collector uses it. */
export interface Disposal {
  /** As a DELETE without options. */
  remove(kind: Kind, object: KubeObject): void;
  /** Writes the object without one of its finalizers, and lets it go when that was the last. */
  release(kind: Kind, object: KubeObject, finalizer: string): void;
}

/** The garbage collector, which in the stand-in acts at once. Owners are told by their UID. */
export class Garbage {
  readonly #store: Store;
  readonly #disposal: Disposal;

  constructor(store: Store, disposal: Disposal) {
    this.#store = store;
    this.#disposal = disposal;
  }

  /** Call when an object was marked for deletion. */
  marked(kind: Kind, object: KubeObject): void {
    const { finalizers = [] } = object.metadata;
    if (finalizers.includes('orphan')) this.#orphan(kind, object);
    if (!finalizers.includes('foregroundDeletion')) return;
    for (const dependent of this.#dependents(object)) this.#disposal.remove(dependent.kind, dependent.object);
    this.#releaseIfFree(kind, object);
  }

  /** Call when an object is gone: what it owned alone goes after it, and an owner may have waited for it. */
  gone(object: KubeObject): void {
    for (const { kind, object: dependent } of this.#dependents(object)) {
      const owners = referencesOf(dependent).map(({ uid }) => this.#byUid(uid));
      if (owners.every((owner) => owner === undefined)) this.#disposal.remove(kind, dependent);
    }
    for (const { uid } of referencesOf(object)) {
      const owner = this.#byUid(uid);
      if (owner) this.#releaseIfFree(owner.kind, owner.object);
    }
  }

  #orphan(kind: Kind, owner: KubeObject): void {
    for (const dependent of this.#dependents(owner)) {
      const { metadata } = dependent.object;
      const ownerReferences = (metadata.ownerReferences ?? []).filter(
        ({ uid }) => uid !== owner.metadata.uid,
      );
      this.#store.put(dependent.kind, { ...dependent.object, metadata: { ...metadata, ownerReferences } });
    }
    this.#disposal.release(kind, owner, 'orphan');
  }

  /** A dependent holds its owner only when it says so. */
  #releaseIfFree(kind: Kind, owner: KubeObject): void {
    if (!owner.metadata.finalizers?.includes('foregroundDeletion')) return;
    const holds = ({ uid, blockOwnerDeletion }: Reference): boolean =>
      uid === owner.metadata.uid && blockOwnerDeletion === true;
    if (this.#dependents(owner).some(({ object }) => referencesOf(object).some(holds))) return;
    this.#disposal.release(kind, owner, 'foregroundDeletion');
  }

  #dependents({ metadata }: KubeObject): { kind: Kind; object: KubeObject }[] {
    return this.#all().filter(({ object }) => referencesOf(object).some(({ uid }) => uid === metadata.uid));
  }

  #byUid(uid: unknown): { kind: Kind; object: KubeObject } | undefined {
    return this.#all().find(({ object }) => object.metadata.uid === uid);
  }

  #all(): { kind: Kind; object: KubeObject }[] {
    return kinds.flatMap((kind) => [...this.#store.state(kind).values()].map((object) => ({ kind, object })));
  }
}

interface Reference {
  readonly uid?: unknown;
  readonly blockOwnerDeletion?: unknown;
}

function referencesOf({ metadata }: KubeObject): readonly Reference[] {
  return (metadata.ownerReferences ?? []).filter(isJson);
}
