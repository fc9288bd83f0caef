import type { MachinePlan, ObjectOperation, WantedIdentity } from './operation.ts';
import type { Place } from './places.ts';
import type { ResourceId } from './resource-id.ts';
import type { Spot } from './spots.ts';

/** As in `MachinePlan`. */
interface Lists {
  readonly wanted: WantedIdentity[];
  readonly add: WantedIdentity[];
  readonly remove: ResourceId[];
  readonly objects: ObjectOperation[];
}

/** A plan in the making. */
export class Draft {
  readonly free: ObjectOperation[] = [];
  againAtMs: number | undefined;
  readonly #machines = new Map<Place, Lists>();
  /** In their grace; of themselves no reason to look at a machine. */
  readonly #leaving = new Map<Place, ResourceId[]>();

  /** The identity belongs there; `asked`: an object waits for it. */
  want(place: Place, identity: WantedIdentity, asked: boolean): void {
    const { wanted, add } = this.#of(place);
    wanted.push(identity);
    if (asked) add.push(identity);
  }

  remove({ place, id }: Spot): void {
    this.#of(place).remove.push(id);
  }

  /** It stays for its grace. */
  leave({ place, id }: Spot): void {
    this.#leaving.set(place, [...(this.#leaving.get(place) ?? []), id]);
  }

  /** For when ARM has answered about the spot. */
  after({ place }: Spot, operation: ObjectOperation): void {
    this.#of(place).objects.push(operation);
  }

  /** Time alone changes the plan then. */
  again(ms: number): void {
    this.againAtMs = Math.min(this.againAtMs ?? ms, ms);
  }

  /** By ARM id of the machine. */
  machines(): readonly MachinePlan[] {
    return [...this.#machines]
      .sort(([a], [b]) => (a.key < b.key ? -1 : 1))
      .map(([place, lists]) => ({
        ...{ machine: place.machine, leaving: this.#leaving.get(place) ?? [] },
        ...lists,
      }));
  }

  #of(place: Place): Lists {
    const known = this.#machines.get(place);
    if (known) return known;
    const lists: Lists = { wanted: [], add: [], remove: [], objects: [] };
    this.#machines.set(place, lists);
    return lists;
  }
}
