import { type Machine, machineOf } from '../../assign/machine.ts';
import { Places } from '../../assign/places.ts';
import { resourceIdOf } from '../../assign/resource-id.ts';
import { type AssignedObject, keyOf, type MicPod } from '../../assign/snapshot.ts';
import { identityTypes } from '../../model/identity.ts';
import { byKey } from '../../model/order.ts';

/** What a repair is decided by. Pods must be read after the assignments: an assignment is made for a pod that is there. */
export interface RepairView {
  readonly assigned: readonly AssignedObject[];
  readonly pods: readonly MicPod[];
  /** `spec.providerID` by name of the node. */
  readonly nodes: ReadonlyMap<string, string>;
  /** A MIC that is at work, if any: what is wrong is its to mend. */
  readonly mic: string | undefined;
}

/** `stuck`: deleted, and kept by the finalizer that only a MIC takes off. `pod-gone`: made for a pod that has ended. */
export type RepairCause = 'stuck' | 'pod-gone';

export interface Repair {
  readonly object: AssignedObject;
  readonly cause: RepairCause;
}

/** A managed identity that nobody takes off its machine any more. */
export interface Left {
  readonly resourceId: string;
  /** Undefined where nobody can tell; then it is `node`'s. */
  readonly machine: Machine | undefined;
  readonly node: string;
}

export interface RepairPlan {
  readonly repairs: readonly Repair[];
  /** What the MIC that is at work mends itself. */
  readonly mics: readonly Repair[];
  readonly left: readonly Left[];
}

/**
 * What to delete and to release. Beside a MIC only what stands for nothing in Azure: releasing it is all that MIC would do, and
 * each write is void for an object that MIC has changed meanwhile.
 */
export function planRepair({ assigned, pods, nodes, mic }: RepairView): RepairPlan {
  const alive = new Set(pods.filter(({ ended }) => !ended).map(keyOf));
  const wrong = assigned.toSorted(byKey).flatMap((object): Repair[] => {
    const cause = causeOf(object, alive);
    return cause ? [{ object, cause }] : [];
  });
  const isMics = ({ object, cause }: Repair): boolean =>
    mic !== undefined && (cause !== 'stuck' || object.identity.type === identityTypes.managedIdentity);
  const repairs = wrong.filter((each) => !isMics(each));
  const going = new Set(repairs.map(({ object }) => object));
  const staying = assigned.filter((object) => !going.has(object));
  return { repairs, mics: wrong.filter(isMics), left: leftBy(repairs, staying, new Places(nodes, nowhere)) };
}

/** Of a node without a providerID only its name is known. */
const nowhere = { subscription: '', resourceGroup: '' };

function causeOf(object: AssignedObject, alive: ReadonlySet<string>): RepairCause | undefined {
  // Another's finalizer is that other's to take off.
  if (object.deleting) return object.hasFinalizer ? 'stuck' : undefined;
  return alive.has(`${object.podNamespace}/${object.pod}`) ? undefined : 'pod-gone';
}

/**
 * Not those that another assignment still stands for on the same machine: a MIC to come takes them off. Nor what no MIC can have
 * put there: `[system]`, say, which az would take for the machine's own identity.
 */
function leftBy(
  repairs: readonly Repair[],
  staying: readonly AssignedObject[],
  places: Places,
): readonly Left[] {
  const kept = new Set(staying.map((object) => spotOf(object, places).key));
  const left = new Map<string, Left>();
  for (const { object } of repairs) {
    const { type, resourceId } = object.identity;
    const { key, machine } = spotOf(object, places);
    if (type !== identityTypes.managedIdentity || !resourceIdOf(resourceId) || kept.has(key)) continue;
    left.set(key, { resourceId, machine, node: object.node });
  }
  return [...left.values()];
}

function spotOf(
  object: AssignedObject,
  places: Places,
): { readonly key: string; readonly machine: Machine | undefined } {
  const machine = places.ofObject(object)?.machine ?? machineOf(object.machine);
  const known = machine?.resourceGroup === '' ? undefined : machine;
  const where = known ? JSON.stringify(known).toLowerCase() : `node ${object.node}`;
  return { key: `${where} ${object.identity.resourceId.toLowerCase()}`, machine: known };
}
