import type { MachinePlan, ObjectOperation, WantedIdentity } from './operation.ts';
import type { Place } from './places.ts';
import type { ResourceId } from './resource-id.ts';
import type { Spot } from './spots.ts';

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

  /** The identity belongs there; `asked`: an object waits for it. */
  want(place: Place, identity: WantedIdentity, asked: boolean): void {
    const { wanted, add } = this.#of(place);
    wanted.push(identity);
    if (asked) add.push(identity);
  }

  remove({ place, id }: Spot): void {
    this.#of(place).remove.push(id);
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
      .map(([{ machine }, lists]) => ({ machine, ...lists }));
  }

  #of(place: Place): Lists {
    const known = this.#machines.get(place);
    if (known) return known;
    const lists: Lists = { wanted: [], add: [], remove: [], objects: [] };
    this.#machines.set(place, lists);
    return lists;
  }
}
