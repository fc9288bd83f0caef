import type { Place } from './places.ts';
import type { ResourceId } from './resource-id.ts';
import type { AssignedObject } from './snapshot.ts';

/**
 * An identity on a machine, and all that the objects say of it. What MIC may have put on a machine has an object that stands
 * for it until ARM has taken it off: the objects are the only memory.
 */
export class Spot {
  readonly place: Place;
  readonly id: ResourceId;
  /** Some pod of the machine is to have it. */
  wanted = false;
  /** Objects of such pods, which will stand here as long as they are needed. */
  stands = 0;
  /** Objects that stand here now, and will not after this plan. */
  readonly leavers: AssignedObject[] = [];
  /** Objects that no pod needs. */
  readonly left: AssignedObject[] = [];
  /** Client ids, in lower case, by which objects say that Azure has it on the machine. */
  readonly proven = new Set<string>();

  constructor(place: Place, id: ResourceId) {
    this.place = place;
    this.id = id;
  }
}

/** The spots of all machines, each of them one value. */
export class Spots {
  readonly #byPlace = new Map<Place, Map<ResourceId, Spot>>();

  at(place: Place, id: ResourceId): Spot {
    const ofPlace = this.#byPlace.get(place) ?? new Map<ResourceId, Spot>();
    this.#byPlace.set(place, ofPlace);
    const spot = ofPlace.get(id) ?? new Spot(place, id);
    ofPlace.set(id, spot);
    return spot;
  }

  /** By machine and id. */
  *all(): Iterable<Spot> {
    const places = [...this.#byPlace.keys()].sort((a, b) => (a.key < b.key ? -1 : 1));
    for (const place of places) {
      const spots = [...(this.#byPlace.get(place)?.values() ?? [])];
      yield* spots.sort((a, b) => (a.id < b.id ? -1 : 1));
    }
  }
}
