import { immutableNames } from './immutable.ts';
import type { MachinePlan, WantedIdentity } from './operation.ts';
import type { ResourceId } from './resource-id.ts';
import type { PlanSettings } from './snapshot.ts';

/** What a PATCH must change. No id stands in two of the lists. */
export interface Difference {
  readonly add: readonly ResourceId[];
  readonly remove: readonly ResourceId[];
  /** There, but as a managed identity that has since been deleted and created again: to take off and put on anew. */
  readonly renew: readonly ResourceId[];
  /** Not removed, because ARM says that it has an immutable client id, whatever the AzureIdentity said. */
  readonly kept: readonly ResourceId[];
}

type Named = Pick<WantedIdentity, 'id' | 'clientId'>;

type Comparable = Pick<MachinePlan, 'remove' | 'leaving'> & {
  readonly wanted: readonly Named[];
  readonly add: readonly Named[];
};

/**
 * Compares a machine's plan with what ARM says is on the machine: the client id by resource id in lower case, '' where Azure
 * names none, which is what becomes of an identity that was deleted. Where the AzureIdentity has another client id than ARM,
 * only an object that waits is a reason to renew: the client id may as well be a slip of the pen, and must not take the
 * identity from the machine again and again. A grace for one that was deleted would protect nobody, and the machine may refuse every
 * change as long.
 */
export function difference(
  { wanted, add, remove, leaving }: Comparable,
  actual: ReadonlyMap<ResourceId, string>,
  immutable: PlanSettings['immutable'],
): Difference {
  const fixed = immutableNames(immutable);
  const asked = new Set(add.map(({ id }) => id));
  const isStale = ({ id, clientId }: Named): boolean => {
    const there = actual.get(id)?.toLowerCase();
    if (there === undefined || fixed.has(id) || fixed.has(there) || fixed.has(clientId ?? '')) return false;
    return there === '' || (asked.has(id) && clientId !== undefined && clientId !== there);
  };
  const doomed = [
    ...remove.filter((id) => actual.has(id)),
    ...leaving.filter((id) => actual.get(id) === '' && !fixed.has(id)),
  ];
  const isKept = (id: ResourceId): boolean => fixed.has(id) || fixed.has(actual.get(id)?.toLowerCase() ?? '');
  return {
    add: wanted.filter(({ id }) => !actual.has(id)).map(({ id }) => id),
    remove: doomed.filter((id) => !isKept(id)),
    renew: wanted.filter(isStale).map(({ id }) => id),
    kept: doomed.filter(isKept),
  };
}
