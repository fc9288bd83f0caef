import { compare } from '../model/order.ts';
import type { ResourceId } from './resource-id.ts';

/** What a machine has, as ARM says. */
export interface MachineIdentity {
  /** A system-assigned identity, which is not ours to take. */
  readonly hasSystem: boolean;
  /** Client id by resource id in lower case; '' where Azure names none: such a managed identity is gone. */
  readonly userAssigned: ReadonlyMap<ResourceId, string>;
}

export interface Change {
  readonly id: ResourceId;
  readonly to: 'on' | 'off';
}

/** The body of a PATCH of a VM or a scale set. */
export interface IdentityPatch {
  readonly identity: {
    readonly type: 'None' | 'SystemAssigned' | 'UserAssigned' | 'SystemAssigned, UserAssigned';
    /** `{}` puts an id on, null takes it off; the others stay. */
    readonly userAssignedIdentities?: Readonly<Record<ResourceId, Readonly<Record<string, never>> | null>>;
  };
}

/** As many ids as the original sent in one PATCH. */
export const mostChanges = 150;

/** The changes that are none already, each id once and in lower case, additions first. What is in both lists is kept. */
export function changesOf(
  current: MachineIdentity,
  { add, remove }: { readonly add: Iterable<string>; readonly remove: Iterable<string> },
): Change[] {
  const wanted = lowered(add);
  const on = [...wanted].filter((id) => !current.userAssigned.has(id));
  const off = [...lowered(remove)].filter((id) => !wanted.has(id) && current.userAssigned.has(id));
  return [
    ...on.sort(compare).map((id) => ({ id, to: 'on' }) as const),
    ...off.sort(compare).map((id) => ({ id, to: 'off' }) as const),
  ];
}

/**
 * The PATCH that makes these changes and no other; undefined when the machine is so already. A type without `UserAssigned`
 * takes every user-assigned identity off, and one without `SystemAssigned` would take that.
 */
export function patchOf(current: MachineIdentity, changes: readonly Change[]): IdentityPatch | undefined {
  const effective = changes.filter(({ id, to }) => current.userAssigned.has(id) !== (to === 'on'));
  if (effective.length === 0) return undefined;
  const { hasSystem } = current;
  if (changed(current, effective).userAssigned.size === 0)
    return { identity: { type: hasSystem ? 'SystemAssigned' : 'None' } };
  return {
    identity: {
      type: hasSystem ? 'SystemAssigned, UserAssigned' : 'UserAssigned',
      userAssignedIdentities: Object.fromEntries(
        effective.map(({ id, to }) => [id, to === 'on' ? {} : null]),
      ),
    },
  };
}

/** What the machine has when the changes are made. The client id of a new one is not known: ''. */
export function changed(current: MachineIdentity, changes: readonly Change[]): MachineIdentity {
  const userAssigned = new Map(current.userAssigned);
  for (const { id, to } of changes) {
    if (to === 'off') userAssigned.delete(id);
    else if (!userAssigned.has(id)) userAssigned.set(id, '');
  }
  return { hasSystem: current.hasSystem, userAssigned };
}

function lowered(ids: Iterable<string>): Set<ResourceId> {
  return new Set([...ids].map((id) => id.toLowerCase()));
}
