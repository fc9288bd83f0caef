/** A kind of object that we keep up with, and how it is trimmed. */
export interface Resource<T> {
  /** The plural, as RBAC rules and operators write it. */
  readonly name: string;
  /** Of the list, cluster-wide or namespaced: `/api/v1/pods`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** The trimmed object; undefined for one whose fields have wrong types, which then counts as absent. */
  parse(raw: unknown): T | undefined;
}

/**
 * Where a reflector puts what it learns. Keys are `namespace/name`. Called in the API server's order, never after `run`
 * has ended. A sink that throws from `replace` is given the list again; one that throws from the others, at the next relist.
 */
export interface Sink<T> {
  /** All that exists now; what is not among the items is gone. */
  replace(items: readonly T[]): void;
  upsert(item: T): void;
  remove(key: string): void;
}

/** `resource.parse`, for which a throw is undefined too: one odd object must not blind us for the others. */
export function trim<T>(resource: Resource<T>, raw: unknown): T | undefined {
  try {
    return resource.parse(raw);
  } catch {
    return undefined;
  }
}

/** `namespace/name` (or `name` for kinds without namespaces); undefined for what is not a Kubernetes object. */
export function objectKey(raw: unknown): string | undefined {
  const { name, namespace } = metadataOf(raw);
  if (typeof name !== 'string' || name === '') return undefined;
  return typeof namespace === 'string' && namespace !== '' ? `${namespace}/${name}` : name;
}

/** `metadata.resourceVersion` of an object or a list; undefined where there is none. */
export function resourceVersionOf(raw: unknown): string | undefined {
  const { resourceVersion } = metadataOf(raw);
  return typeof resourceVersion === 'string' && resourceVersion !== '' ? resourceVersion : undefined;
}

/** `metadata` of an object or a list, {} where there is none. */
export function metadataOf(raw: unknown): Readonly<Record<string, unknown>> {
  return isRecord(raw) && isRecord(raw.metadata) ? raw.metadata : {};
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
