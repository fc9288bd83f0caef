import type { Kind } from './kinds.ts';
import { isJson, type Json, sameJson } from './object.ts';
import { badRequest, unprocessable, unsupportedMediaType } from './status.ts';

const jsonPatch = 'application/json-patch+json';
const mergePatch = 'application/merge-patch+json';
const strategicPatch = 'application/strategic-merge-patch+json';

/** Applies a patch of the given media type to a copy of `object`. Server-side apply is not offered. */
export function applyPatch(kind: Kind, object: Json, patch: unknown, mediaType: string): Json {
  const accepted = [jsonPatch, mergePatch, ...(kind.custom ? [] : [strategicPatch])];
  if (!accepted.includes(mediaType)) throw unsupportedMediaType(accepted);
  if (mediaType === jsonPatch) return applyJsonPatch(object, patch);
  if (!isJson(patch)) throw unprocessable();
  return mediaType === mergePatch ? merge(object, patch) : mergeStrategic(object, patch);
}

/** RFC 7386. */
function merge(target: unknown, patch: Json): Json {
  const result: Json = isJson(target) ? { ...target } : {};
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete result[field];
    else result[field] = isJson(value) ? merge(result[field], value) : value;
  }
  return result;
}

/** Lists that are merged by a key; every other list is replaced. From the patchMergeKey tags of the API types. */
const mergeKeys: Readonly<Record<string, string>> = {
  conditions: 'type',
  addresses: 'type',
  containers: 'name',
  initContainers: 'name',
  ephemeralContainers: 'name',
  env: 'name',
  volumes: 'name',
  volumeMounts: 'mountPath',
  podIPs: 'ip',
  ownerReferences: 'uid',
};

function mergeStrategic(target: unknown, patch: Json): Json {
  const { $patch: directive, ...fields } = patch;
  if (directive === 'replace') return fields;
  const result: Json = isJson(target) ? { ...target } : {};
  for (const [field, value] of Object.entries(fields)) {
    if (field.startsWith('$')) throw badRequest(`the stand-in does not know the directive ${field}`);
    if (value === null) delete result[field];
    else result[field] = mergeField(field, result[field], value);
  }
  return result;
}

function mergeField(field: string, old: unknown, value: unknown): unknown {
  if (isJson(value)) return value.$patch === 'delete' ? undefined : mergeStrategic(old, value);
  if (!Array.isArray(value)) return value;
  const list = Array.isArray(old) ? old : [];
  if (field === 'finalizers') return [...new Set([...list, ...value])];
  const key = mergeKeys[field];
  return key === undefined ? value : mergeByKey(key, list, value);
}

/** Elements that are new come first, as the real server has it. */
function mergeByKey(key: string, old: readonly unknown[], patch: readonly unknown[]): unknown[] {
  let result = old.filter(isJson);
  const added: Json[] = [];
  for (const element of patch.filter(isJson)) {
    const index = result.findIndex((item) => item[key] === element[key]);
    if (element.$patch === 'delete') result = result.filter((_, i) => i !== index);
    else if (index < 0) added.push(mergeStrategic({}, element));
    else result = result.with(index, mergeStrategic(result[index], element));
  }
  return [...added, ...result];
}

/** RFC 6902. Stricter than 1.20 in one thing: `replace` of a member that is not there is refused, as later servers do. */
function applyJsonPatch(object: Json, patch: unknown): Json {
  if (!Array.isArray(patch))
    throw badRequest('json: cannot unmarshal object into Go value of type jsonpatch.Patch');
  return patch.reduce<Json>((result, operation) => {
    const next = isJson(operation) ? applyOperation(result, operation) : undefined;
    if (!isJson(next)) throw unprocessable();
    return next;
  }, structuredClone(object));
}

function applyOperation(root: Json, { op, path, from, value }: Json): unknown {
  switch (op) {
    case 'add':
      return edit(root, path, (parent, name) => insert(parent, name, value));
    case 'remove':
      return edit(root, path, take);
    case 'replace':
      edit(root, path, take);
      return edit(root, path, (parent, name) => insert(parent, name, value));
    case 'move': {
      const moved = valueAt(root, from);
      edit(root, from, take);
      return edit(root, path, (parent, name) => insert(parent, name, moved));
    }
    case 'copy': {
      const copy = structuredClone(valueAt(root, from));
      return edit(root, path, (parent, name) => insert(parent, name, copy));
    }
    case 'test':
      if (!sameJson(valueAt(root, path), value)) throw unprocessable();
      return root;
    default:
      throw unprocessable();
  }
}

type Place = Json | unknown[];

function edit(root: Json, path: unknown, change: (parent: Place, name: string) => void): Json {
  const names = parsePointer(path);
  const last = names.pop();
  if (last === undefined) throw unprocessable();
  const parent = names.reduce<unknown>(step, root);
  if (!isJson(parent) && !Array.isArray(parent)) throw unprocessable();
  change(parent, last);
  return root;
}

function insert(parent: Place, name: string, value: unknown): void {
  if (!Array.isArray(parent)) parent[name] = value;
  else parent.splice(name === '-' ? parent.length : indexIn(name, parent.length), 0, value);
}

function take(parent: Place, name: string): void {
  if (Array.isArray(parent)) parent.splice(indexIn(name, parent.length - 1), 1);
  else if (!Object.hasOwn(parent, name)) throw unprocessable();
  else delete parent[name];
}

function valueAt(root: Json, path: unknown): unknown {
  const value = parsePointer(path).reduce<unknown>(step, root);
  if (value === undefined) throw unprocessable();
  return value;
}

function step(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return value[indexIn(name, value.length - 1)];
  return isJson(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function indexIn(name: string, last: number): number {
  const index = /^(0|[1-9]\d*)$/.test(name) ? Number(name) : -1;
  if (index < 0 || index > last) throw unprocessable();
  return index;
}

function parsePointer(path: unknown): string[] {
  if (typeof path !== 'string' || !path.startsWith('/')) throw unprocessable();
  const names = path.slice(1).split('/');
  return names.map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
}
