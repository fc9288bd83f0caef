/** JSON objects as they travel; the stand-in looks only at the fields that it has rules for. */
export type Json = Record<string, unknown>;

export interface Metadata {
  name: string;
  namespace?: string;
  generateName?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string | null;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: Json[];
  [field: string]: unknown;
}

/** Any Kubernetes object. What the store holds is never changed in place. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: Metadata;
  spec?: Json;
  status?: Json;
  [field: string]: unknown;
}

/** What a caller hands in: the type and the name, the rest as needed. */
export interface KubeInput {
  apiVersion: string;
  kind: string;
  metadata: Partial<Metadata>;
  spec?: Json;
  status?: Json;
  [field: string]: unknown;
}

/** `namespace/name`, or the name alone for what has no namespace; etcd sorts lists by it. */
export function keyOf(namespace: string | undefined, name: string): string {
  return namespace ? `${namespace}/${name}` : name;
}

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Deep equality of JSON values; the order of fields does not count. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, i) => sameJson(item, b[i]));
  }
  if (!isJson(a) || !isJson(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && sameJson(a[key], b[key]));
}

/** The string at a path such as `spec.nodeName`; '' when there is none, as the API server's selectable fields do. */
export function textAt(object: Json, path: string): string {
  let value: unknown = object;
  for (const field of path.split('.')) value = isJson(value) ? value[field] : undefined;
  return typeof value === 'string' || typeof value === 'boolean' ? String(value) : '';
}
