import type { Desired } from './desired.ts';
import type { Draft } from './draft.ts';
import { marksAtEnd } from './leftover.ts';
import type { Former, Target } from './operation.ts';
import { type AssignedObject, type AssignmentMarks, keyOf } from './snapshot.ts';
import type { Spot } from './spots.ts';
import { differs, isSettled, type Need, type Survey } from './survey.ts';

/** Brings the objects that pods need to what they should be. */
export class Changes {
  readonly #world: Survey;
  readonly #draft: Draft;
  /** Spots that nothing but an object that goes away speaks of. */
  readonly #forgotten = new Set<Spot>();
  readonly #awaited = new Set<Spot>();
  readonly #names = new Set<string>();

  constructor(world: Survey, draft: Draft) {
    this.#world = world;
    this.#draft = draft;
  }

  /** The first object that leaves the spot must leave a copy that stands for it. */
  remember(spot: Spot): void {
    if (spot.leavers.length > 0) this.#forgotten.add(spot);
  }

  /** An object waits for ARM to say that the identity is there. */
  isAwaited(spot: Spot): boolean {
    return this.#awaited.has(spot);
  }

  meet(need: Need): void {
    const { desired, object, spot, was } = need;
    const marks = { machine: spot?.place.armId ?? '', unassignSinceMs: undefined, lastUsedMs: undefined };
    const { free } = this.#draft;
    if (!object) free.push({ kind: 'create', target: targetOf(desired), marks });
    else if (object.deleting) {
      // It cannot be kept. Without its finalizer it is gone at once, and the next plan makes it anew.
      const former = this.#formerOf(object, was);
      if (object.hasFinalizer) free.push({ kind: 'delete', object, former, when: { kind: 'now' } });
    } else if (was !== spot || differs(object, desired)) {
      const state = isSettled(object) && !isMoved(need) ? 'Assigned' : 'Created';
      const former = was === spot ? undefined : this.#formerOf(object, was);
      free.push({ kind: 'update', object, target: targetOf(desired), state, marks, former });
    } else this.#assign(object, spot, marks);
  }

  /** Where an assignment of the same identity says that it is on the machine, or Azure has no part, nobody waits for ARM. */
  #assign(object: AssignedObject, spot: Spot | undefined, marks: AssignmentMarks): void {
    const { free } = this.#draft;
    if (!spot || spot.proven.has(object.identity.clientId.toLowerCase())) {
      free.push({ kind: 'state', object, to: 'Assigned', marks, when: { kind: 'now' } });
    } else if (object.state === 'Unassigned') {
      free.push({ kind: 'state', object, to: 'Created', marks, when: { kind: 'now' } });
    } else {
      this.#awaited.add(spot);
      const when = { kind: 'on', id: spot.id } as const;
      this.#draft.after(spot, { kind: 'state', object, to: 'Assigned', marks, when });
    }
  }

  #formerOf(object: AssignedObject, was: Spot | undefined): Former | undefined {
    if (!was || !this.#forgotten.delete(was)) return undefined;
    const { namespace } = object;
    return { namespace, name: this.#freeName(object), marks: marksAtEnd(object, was, this.#world) };
  }

  /** No object has it, and none is to have it. */
  #freeName({ namespace, name }: AssignedObject): string {
    const { objects, desired } = this.#world;
    for (let number = 1; ; number++) {
      const ending = `-was-${number}`;
      const candidate = `${name.slice(0, 253 - ending.length).replace(/[-.]+$/, '')}${ending}`;
      const key = keyOf({ namespace, name: candidate });
      if (objects.has(key) || desired.has(key) || this.#names.has(key)) continue;
      this.#names.add(key);
      return candidate;
    }
  }
}

/** Azure has something to do: another machine, another identity, or one that was created anew under its name. */
function isMoved({ desired, object, spot, was }: Need): boolean {
  if (spot !== was || !spot) return spot !== was;
  return object?.identity.clientId.toLowerCase() !== desired.grant.identity.clientId.toLowerCase();
}

function targetOf({ name, pod, grant }: Desired): Target {
  const { binding, identity, objectNamespace } = grant;
  return {
    namespace: objectNamespace,
    name,
    podNamespace: pod.namespace,
    pod: pod.name,
    node: pod.node,
    binding,
    identity,
  };
}
