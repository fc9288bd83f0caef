import { Applier } from '../../../lib/assign/apply.ts';
import type { ApplyDoors, Write } from '../../../lib/assign/apply-doors.ts';
import { armIdOf, type Machine } from '../../../lib/assign/machine.ts';
import type { Plan } from '../../../lib/assign/operation.ts';
import { createLogger } from '../../../lib/platform/log.ts';
import { FakeObjects } from '../../assign/fake-objects.ts';
import { settle } from '../../fakes/clock.ts';
import type { Scene } from './scene.ts';

/** What was asked of ARM and of the API server until nothing was left to do. */
export interface Work {
  /** Plans that asked for something. */
  readonly plans: number;
  readonly gets: number;
  readonly patches: number;
  /** Of one scale set, at most. */
  readonly getsOfOne: number;
  readonly patchesOfOne: number;
  /** By kind: each is one request, done. */
  readonly writes: Readonly<Record<string, number>>;
  /** Failed, or refused. */
  readonly failed: number;
}

/** An assignment takes two; whoever needs more goes round in circles. */
const mostPlans = 10;

/** One MIC at work on the scene. A term of its own each time `finish` is called, as after a change of the leader. */
export async function finish(scene: Scene): Promise<Work> {
  const book = new Book();
  const stop = new AbortController();
  const applier = new Applier(doorsOf(scene, book), { ...settings, immutable: [] }, stop.signal);
  try {
    for (let plans = 0; plans < mostPlans; plans++) {
      const plan = scene.world.plan();
      if (isDone(plan)) return book.work(plans);
      applier.apply(plan);
      // The fakes answer within a turn of the event loop.
      await settle();
    }
  } finally {
    stop.abort();
  }
  throw new Error(`something is left to do after ${mostPlans} plans`);
}

/** MIC's defaults. */
const settings = { batch: 20, repairMs: 180_000 } as const;

function isDone({ free, machines }: Plan): boolean {
  return free.length === 0 && machines.every(({ objects }) => objects.length === 0);
}

class Book {
  readonly #gets = new Map<string, number>();
  readonly #patches = new Map<string, number>();
  readonly #writes: Partial<Record<Write, number>> = {};
  #failed = 0;

  get(machine: Machine): void {
    raise(this.#gets, armIdOf(machine));
  }

  patch(machine: Machine): void {
    raise(this.#patches, armIdOf(machine));
  }

  write(write: Write, failed: boolean): void {
    if (failed) this.#failed += 1;
    else this.#writes[write] = (this.#writes[write] ?? 0) + 1;
  }

  work(plans: number): Work {
    return {
      plans,
      ...{ gets: sumOf(this.#gets), getsOfOne: Math.max(0, ...this.#gets.values()) },
      ...{ patches: sumOf(this.#patches), patchesOfOne: Math.max(0, ...this.#patches.values()) },
      ...{ writes: this.#writes, failed: this.#failed },
    };
  }
}

function doorsOf({ arm, clock, world }: Scene, book: Book): ApplyDoors {
  return {
    arm: {
      identitiesOf: (machine) => {
        book.get(machine);
        return arm.identitiesOf(machine);
      },
      patch: (machine, ...sent) => {
        book.patch(machine);
        return arm.patch(machine, ...sent);
      },
    },
    objects: new FakeObjects(world),
    clock,
    tell: () => undefined,
    onWrite: (write, _ms, failed) => book.write(write, failed),
    random: () => 0.5,
    log: createLogger('json', { to: { write: () => undefined } }),
    isFresh: () => true,
  };
}

function raise(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function sumOf(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, each) => sum + each, 0);
}
