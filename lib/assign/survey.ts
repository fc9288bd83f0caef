import { identityTypes } from '../model/identity.ts';
import { type Desired, desiredOf } from './desired.ts';
import { Grants } from './grants.ts';
import { Immutable } from './immutable.ts';
import { type Nowhere, type Place, Places } from './places.ts';
import { Problems } from './problem.ts';
import { type ResourceId, resourceIdOf } from './resource-id.ts';
import { type AssignedObject, keyOf, type PlanSettings, type Snapshot } from './snapshot.ts';
import { type Spot, Spots } from './spots.ts';

/** An assignment that should be there, beside what is. */
export interface Need {
  readonly desired: Desired;
  readonly object: AssignedObject | undefined;
  /** Where its identity belongs; undefined for a service principal. */
  readonly spot: Spot | undefined;
  /** Where the object says that it is. */
  readonly was: Spot | undefined;
}

/** Everything that planning looks at, each object put where it belongs. */
export interface Survey {
  readonly snapshot: Snapshot;
  readonly settings: PlanSettings;
  readonly objects: ReadonlyMap<string, AssignedObject>;
  readonly desired: ReadonlyMap<string, Desired>;
  /** Those that are not as they should be. */
  readonly needs: readonly Need[];
  /** Objects that no pod needs and that stand for nothing on a machine. */
  readonly idle: readonly AssignedObject[];
  readonly spots: Spots;
  readonly grants: Grants;
  readonly immutable: Immutable;
  readonly problems: Problems;
}

export function survey(snapshot: Snapshot, settings: PlanSettings): Survey {
  const { identities, nodes, pods } = snapshot;
  const problems = new Problems();
  const grants = new Grants(snapshot, { namespaced: settings.namespaced, problems });
  const objects = new Map([...snapshot.assigned].map((object) => [keyOf(object), object]));
  const desired = desiredOf(pods, grants, { objects, problems });
  const surveyor = new Surveyor(new Places(nodes, settings.home), problems);
  for (const [key, each] of desired) surveyor.need(each, objects.get(key));
  for (const [key, object] of objects) if (!desired.has(key)) surveyor.leave(object);
  const immutable = new Immutable(settings.immutable, identities);
  for (const { identity } of objects.values()) immutable.learn(identity);
  const { needs, idle, spots } = surveyor;
  return { snapshot, settings, objects, desired, needs, idle, spots, grants, immutable, problems };
}

/** Puts assignments and objects on their spots. */
class Surveyor {
  readonly needs: Need[] = [];
  readonly idle: AssignedObject[] = [];
  readonly spots = new Spots();
  readonly #places: Places;
  readonly #problems: Problems;
  /** 100,000 assignments have few identities. */
  readonly #ids = new Map<string, ResourceId | undefined>();

  constructor(places: Places, problems: Problems) {
    this.#places = places;
    this.#problems = problems;
  }

  need(desired: Desired, object: AssignedObject | undefined): void {
    const { id } = desired.grant;
    const was = object && this.#spotOf(object);
    if (was && object) prove(was, object);
    const place = id === undefined ? undefined : this.#places.ofNode(desired.pod.node);
    if (typeof place === 'string') {
      this.#nowhere(desired, was, place);
      return;
    }
    const spot = place && id !== undefined ? this.spots.at(place, id) : undefined;
    if (spot) spot.wanted = true;
    const stays = was === spot && object?.deleting === false;
    if (stays && spot) spot.stands++;
    else if (object) was?.leavers.push(object);
    if (!stays || !object || !isSettled(object) || differs(object, desired))
      this.needs.push({ desired, object, spot, was });
  }

  /** An object that is going, and that nothing of ours holds, is as good as gone. */
  leave(object: AssignedObject): void {
    if (object.deleting && !object.hasFinalizer) return;
    const spot = this.#spotOf(object);
    if (spot) {
      prove(spot, object);
      spot.left.push(object);
    } else this.idle.push(object);
  }

  /** The node's machine is not known. What stands is left as it is until the pod goes or the node comes. */
  #nowhere({ pod }: Desired, was: Spot | undefined, why: Nowhere): void {
    if (was) {
      was.wanted = true;
      was.stands++;
    }
    this.#problems.tell(why, { kind: 'Node', namespace: '', name: pod.node }, nowhere[why](pod.node));
  }

  #spotOf(object: AssignedObject): Spot | undefined {
    const { type, resourceId } = object.identity;
    if (type !== identityTypes.managedIdentity) return undefined;
    if (!this.#ids.has(resourceId)) this.#ids.set(resourceId, resourceIdOf(resourceId));
    const id = this.#ids.get(resourceId);
    const place: Place | undefined = id === undefined ? undefined : this.#places.ofObject(object);
    return place && id !== undefined ? this.spots.at(place, id) : undefined;
  }
}

const nowhere = {
  'node-missing': (node: string) =>
    `Node ${node}, on which pods are that identities are bound to, is not there. They are assigned when it is.`,
  'provider-id-invalid': (node: string) =>
    `Node ${node} has a spec.providerID that is no Azure VM's and no scale set's, so that its pods get no identities. It must read azure:///subscriptions/….`,
} as const;

/** Azure is done; '' is what MICs before 1.5 left. */
export function isSettled({ state }: AssignedObject): boolean {
  return state === 'Assigned' || state === '';
}

function prove(spot: Spot, object: AssignedObject): void {
  if (isSettled(object)) spot.proven.add(object.identity.clientId.toLowerCase());
}

/** Whether the object says something else than it should. Its copies are compared by what they mean: metadata may change. */
export function differs(object: AssignedObject, { pod, grant: { binding, identity } }: Desired): boolean {
  return (
    object.podNamespace !== pod.namespace ||
    object.pod !== pod.name ||
    object.node !== pod.node ||
    object.label !== pod.node ||
    !object.hasFinalizer ||
    object.identity.namespace !== identity.namespace ||
    object.identity.name !== identity.name ||
    object.identityContent !== identity.content ||
    object.binding.namespace !== binding.namespace ||
    object.binding.name !== binding.name ||
    object.bindingContent !== binding.content
  );
}
