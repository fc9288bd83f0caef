import { armIdOf, type Machine, machineKey, machineOf, machineOfNode } from './machine.ts';
import type { AssignedObject, Home } from './snapshot.ts';

/** A machine, one value for each: equal places are the same place. */
export interface Place {
  readonly machine: Machine;
  /** See `machineKey`. */
  readonly key: string;
  /** See `armIdOf`. */
  readonly armId: string;
}

/** Why a node has no place. */
export type Nowhere = 'node-missing' | 'provider-id-invalid';

/** The six characters, base 36, by which scale sets number their instances. */
const instance = /^[0-9a-z]{6}$/;

/** Which machines nodes and objects belong to. */
export class Places {
  readonly #places = new Map<string, Place>();
  readonly #ofNode = new Map<string, Place | Nowhere>();
  readonly #ofArmId = new Map<string, Place | undefined>();
  readonly #inUse = new Set<Place>();
  /** Scale sets by name; undefined where two have one name. */
  readonly #scaleSets = new Map<string, Place | undefined>();

  constructor(nodes: ReadonlyMap<string, string>, home: Home) {
    for (const [node, providerId] of nodes) {
      const machine = machineOfNode(node, providerId, home);
      const place = machine && this.#placeOf(machine);
      this.#ofNode.set(node, place ?? 'provider-id-invalid');
      if (place) this.#use(place);
    }
  }

  ofNode(node: string): Place | Nowhere {
    return this.#ofNode.get(node) ?? 'node-missing';
  }

  /**
   * Where the object's identity was put: its annotation says so; else its node does; else, for a node that has vanished, the
   * scale set whose name the node's begins with. Undefined where nobody can tell, and for a VM whose node has vanished:
   * there is nothing to clean any more. Whether a scale set without nodes still exists, ARM knows.
   */
  ofObject({ machine, node }: Pick<AssignedObject, 'machine' | 'node'>): Place | undefined {
    const place = this.#marked(machine) ?? this.#named(node);
    return place?.machine.kind === 'vm' && !this.#inUse.has(place) ? undefined : place;
  }

  #marked(armId: string): Place | undefined {
    if (armId === '') return undefined;
    if (!this.#ofArmId.has(armId)) {
      const machine = machineOf(armId);
      this.#ofArmId.set(armId, machine && this.#placeOf(machine));
    }
    return this.#ofArmId.get(armId);
  }

  #named(node: string): Place | undefined {
    const place = this.ofNode(node);
    if (typeof place !== 'string') return place;
    return instance.test(node.slice(-6)) ? this.#scaleSets.get(node.slice(0, -6)) : undefined;
  }

  #placeOf(machine: Machine): Place {
    const key = machineKey(machine);
    const known = this.#places.get(key);
    if (known) return known;
    const place = { machine, key, armId: armIdOf(machine) };
    this.#places.set(key, place);
    return place;
  }

  #use(place: Place): void {
    this.#inUse.add(place);
    if (place.machine.kind === 'vm') return;
    const name = place.machine.name.toLowerCase();
    const same = this.#scaleSets.has(name) ? this.#scaleSets.get(name) : place;
    this.#scaleSets.set(name, same === place ? place : undefined);
  }
}
