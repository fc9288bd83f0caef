import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../lib/platform/clock.ts';
import { builtins } from './builtins.ts';
import { type DeleteOptions, isReleased, markForDeletion, timestamp } from './deletion.ts';
import { Garbage } from './garbage.ts';
import { apiVersionOf, type Kind, kindNamed, kinds } from './kinds.ts';
import { checkMetadata, generatedName, updatedMetadata } from './metadata.ts';
import { isJson, type Json, type KubeObject, sameJson } from './object.ts';
import { applyPatch } from './patch.ts';
import { prune, typeErrors } from './schema.ts';
import * as status from './status.ts';
import type { Store } from './store.ts';

/** Which object a request is about; `namespace` is absent for cluster-wide kinds. */
export interface Target {
  readonly kind: Kind;
  readonly namespace?: string;
  readonly name: string;
  readonly subresource?: 'status';
}

/** The write side of the API: what the registry and its strategies are to the real server. Refuses with ApiError. */
export class Objects {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #garbage: Garbage;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.#garbage = new Garbage(store, {
      remove: (kind, { metadata: { namespace, name } }) =>
        void this.remove({ kind, name, ...(namespace ? { namespace } : {}) }, {}),
      release: (kind, object, finalizer) => this.#release(kind, object, finalizer),
    });
  }

  get({ kind, namespace, name }: Target): KubeObject {
    const found = this.#store.get(kind, namespace, name);
    if (!found) throw status.notFound(kind, name);
    return found;
  }

  create(kind: Kind, namespace: string | undefined, body: unknown): KubeObject {
    const object = this.#accept(kind, namespace, body);
    const { managedFields: _managed, selfLink: _link, ...metadata } = object.metadata;
    const { generateName } = metadata;
    if (!metadata.name && generateName) metadata.name = generatedName(generateName);
    this.#checkNamespace(kind, namespace, metadata.name);
    if (metadata.resourceVersion) {
      throw status.failure(500, '', 'resourceVersion should not be set on objects to be created');
    }
    for (const owned of ['deletionTimestamp', 'deletionGracePeriodSeconds', 'generation'])
      delete metadata[owned];
    object.metadata = {
      ...metadata,
      uid: randomUUID(),
      creationTimestamp: timestamp(this.#clock.now()),
      ...(kind.generation ? { generation: 1 } : {}),
    };
    builtins[kind.kind]?.prepare?.(object);
    const checked = this.#checked(kind, object);
    if (this.#store.get(kind, namespace, checked.metadata.name)) {
      throw status.alreadyExists(kind, checked.metadata.name);
    }
    return this.#store.put(kind, checked);
  }

  update(target: Target, body: unknown): KubeObject {
    const { kind, namespace, name } = target;
    const asked = this.#accept(kind, namespace, body);
    checkName(asked, name);
    const old = this.#store.get(kind, namespace, name);
    if (!old && kind.createOnUpdate && !target.subresource) return this.create(kind, namespace, body);
    if (!old) throw status.notFound(kind, name);
    const { uid, resourceVersion } = asked.metadata;
    if (uid && uid !== old.metadata.uid) {
      const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`;
      throw status.conflict(kind, name, why);
    }
    if (!resourceVersion && !kind.unconditionalUpdate) {
      const message = 'Invalid value: 0x0: must be specified for an update';
      throw status.invalid(kind, name, [
        { field: 'metadata.resourceVersion', reason: 'FieldValueInvalid', message },
      ]);
    }
    return this.#replace(target, old, asked);
  }

  patch(target: Target, patch: unknown, mediaType: string): KubeObject {
    const { kind, namespace, name } = target;
    const old = this.get(target);
    const asked = this.#accept(kind, namespace, applyPatch(kind, old, patch, mediaType));
    checkName(asked, name);
    return this.#replace(target, old, asked);
  }

  /** Answers as the real server: the object while it still is there (or is a pod), else a Status. */
  remove(target: Target, options: DeleteOptions): Json {
    const { kind, name } = target;
    const old = this.get(target);
    const { object, gone } = markForDeletion(kind, old, options, this.#clock.now());
    const marked = object === old ? old : this.#store.put(kind, object);
    if (kind.kind === 'Namespace') return this.#emptyNamespace(marked);
    if (!gone) {
      if (object !== old) this.#garbage.marked(kind, marked);
      return marked;
    }
    this.#drop(kind, marked);
    return kind.kind === 'Pod' ? marked : status.deleted(kind, name, old.metadata.uid ?? '');
  }

  #replace({ kind, name, subresource }: Target, old: KubeObject, asked: KubeObject): KubeObject {
    const { resourceVersion } = asked.metadata;
    if (resourceVersion && resourceVersion !== old.metadata.resourceVersion) {
      const why =
        'the object has been modified; please apply your changes to the latest version and try again';
      throw status.conflict(kind, name, why);
    }
    const next = { ...asked, metadata: updatedMetadata(kind, old.metadata, asked.metadata) };
    if (kind.status && subresource) restore(next, old, 'spec');
    if (kind.status && !subresource) restore(next, old, 'status');
    if (kind.generation && contentChanged(kind, old, next)) {
      next.metadata.generation = (old.metadata.generation ?? 0) + 1;
    }
    const checked = this.#checked(kind, next);
    const causes = builtins[kind.kind]?.checkUpdate?.(checked, old) ?? [];
    if (causes.length > 0) throw status.invalid(kind, name, causes);
    if (isReleased(checked)) {
      this.#drop(kind, checked);
      return checked;
    }
    checked.metadata.resourceVersion = old.metadata.resourceVersion ?? '';
    // etcd is not written when nothing changed: same resourceVersion, no event.
    return sameJson(checked, old) ? old : this.#store.put(kind, checked);
  }

  #checked(kind: Kind, object: KubeObject): KubeObject {
    const pruned = kind.custom ? prune(object) : object;
    builtins[kind.kind]?.normalise?.(pruned);
    checkMetadata(kind, pruned);
    const causes = kind.custom ? typeErrors(pruned) : (builtins[kind.kind]?.check?.(pruned) ?? []);
    if (causes.length > 0) throw status.invalid(kind, pruned.metadata.name, causes);
    return pruned;
  }

  /** A body as an object of this kind, as a copy; built-in kinds may leave out their type. */
  #accept(kind: Kind, namespace: string | undefined, body: unknown): KubeObject {
    if (!isJson(body))
      throw status.badRequest(`the object provided is unrecognized (must be of type ${kind.kind})`);
    if (kind.custom && !body.kind) throw status.badRequest(`Object 'Kind' is missing`);
    const version = body.apiVersion ?? apiVersionOf(kind);
    if (version !== apiVersionOf(kind) || (body.kind ?? kind.kind) !== kind.kind) {
      const expected = apiVersionOf(kind);
      throw status.badRequest(
        `the API version in the data (${version}) does not match the expected API version (${expected})`,
      );
    }
    const copy = structuredClone({ ...body, apiVersion: version, kind: kind.kind }) as unknown as KubeObject;
    copy.metadata = isJson(copy.metadata) ? copy.metadata : { name: '' };
    if (namespace) copy.metadata.namespace ||= namespace;
    if (copy.metadata.namespace !== namespace && (namespace || copy.metadata.namespace)) {
      throw status.badRequest(
        'the namespace of the provided object does not match the namespace sent on the request',
      );
    }
    return copy;
  }

  #checkNamespace(kind: Kind, namespace: string | undefined, name: string): void {
    if (!kind.namespaced || !namespace) return;
    const found = this.get({ kind: kindNamed('Namespace'), name: namespace });
    if (!found.metadata.deletionTimestamp) return;
    const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
    const message = `namespace ${namespace} is being terminated`;
    throw status.forbidden(kind, why, name, [
      { reason: 'NamespaceTerminating', message, field: 'metadata.namespace' },
    ]);
  }

  #release(kind: Kind, object: KubeObject, finalizer: string): void {
    const finalizers = object.metadata.finalizers?.filter((each) => each !== finalizer) ?? [];
    const released = { ...object, metadata: { ...object.metadata, finalizers } };
    if (isReleased(released)) this.#drop(kind, released);
    else this.#store.put(kind, released);
  }

  #drop(kind: Kind, object: KubeObject): void {
    const { namespace, name } = object.metadata;
    this.#store.remove(kind, namespace, name);
    this.#garbage.gone(object);
    this.#finishNamespace(namespace);
  }

  /** Stands for the namespace controller: what is in it goes, then the namespace itself. */
  #emptyNamespace(namespace: KubeObject): KubeObject {
    const terminating = this.#store.put(kindNamed('Namespace'), {
      ...namespace,
      status: { phase: 'Terminating' },
    });
    const { name } = namespace.metadata;
    for (const { kind, object } of this.#contents(name)) {
      this.remove({ kind, namespace: name, name: object.metadata.name }, { gracePeriodSeconds: 0 });
    }
    this.#finishNamespace(name);
    return terminating;
  }

  #finishNamespace(name: string | undefined): void {
    if (!name || this.#contents(name).length > 0) return;
    const namespace = this.#store.get(kindNamed('Namespace'), undefined, name);
    if (!namespace?.metadata.deletionTimestamp) return;
    this.#store.remove(kindNamed('Namespace'), undefined, name);
  }

  #contents(namespace: string): { kind: Kind; object: KubeObject }[] {
    return kinds.flatMap((kind) =>
      [...this.#store.state(kind).values()]
        .filter((object) => kind.namespaced && object.metadata.namespace === namespace)
        .map((object) => ({ kind, object })),
    );
  }
}

function checkName({ metadata }: KubeObject, name: string): void {
  if (metadata.name === name) return;
  throw status.badRequest(
    `the name of the object (${metadata.name}) does not match the name on the URL (${name})`,
  );
}

/** A write through one door leaves what belongs to the other as it was. */
function restore(next: KubeObject, old: KubeObject, field: 'spec' | 'status'): void {
  if (old[field] === undefined) delete next[field];
  else next[field] = old[field];
}

/** Where status is a plain field, it counts too. */
function contentChanged(kind: Kind, old: KubeObject, next: KubeObject): boolean {
  if (kind.status) return !sameJson(old.spec, next.spec);
  return !sameJson({ ...old, metadata: {} }, { ...prune(next), metadata: {} });
}
