import type { AssignedObject } from '../model/assigned-object.ts';

type Seen = AssignedObject | undefined;

/** No such object any more, or another under its name. */
export function isGone(now: Seen, { uid }: AssignedObject): now is undefined {
  return now?.uid !== uid;
}

/** Both stand for the same, so that what was decided on the one holds for the other; metadata does not count. */
export function saysSame(a: Seen, b: Seen): boolean {
  return (
    a !== undefined &&
    b !== undefined &&
    a.state === b.state &&
    a.deleting === b.deleting &&
    a.podNamespace === b.podNamespace &&
    a.pod === b.pod &&
    a.node === b.node &&
    a.identity.namespace === b.identity.namespace &&
    a.identity.name === b.identity.name &&
    a.identityContent === b.identityContent &&
    a.binding.namespace === b.binding.namespace &&
    a.binding.name === b.binding.name &&
    a.bindingContent === b.bindingContent
  );
}

/** That, and all that MIC puts into the metadata. */
export function standsAs(a: Seen, b: Seen): boolean {
  return (
    saysSame(a, b) &&
    a?.label === b?.label &&
    a?.hasFinalizer === b?.hasFinalizer &&
    a?.machine === b?.machine &&
    a?.unassignSinceMs === b?.unassignSinceMs &&
    a?.lastUsedMs === b?.lastUsedMs
  );
}
