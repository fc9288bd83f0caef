import { waitFor } from '../platform/wait.ts';
import type { ApplyDoors, ApplySettings } from './apply-doors.ts';
import { Attempts } from './attempts.ts';
import { byTurns } from './by-turns.ts';
import { Lane } from './lane.ts';
import { machineKey } from './machine.ts';
import { MachineQueue } from './machine-queue.ts';
import type { ObjectOperation, Plan } from './operation.ts';
import { Suspects } from './suspects.ts';
import { write } from './write.ts';

/**
 * Applies plans, always the newest, until `signal` aborts. Operations that wait for no machine run in lanes, one a node; each
 * machine has its own queue: whatever is slow, refused or limited, the others go on. What did not work is tried again by itself.
 */
export class Applier {
  readonly #doors: ApplyDoors;
  readonly #settings: ApplySettings;
  readonly #signal: AbortSignal;
  readonly #attempts: Attempts;
  readonly #suspects: Suspects;
  readonly #lanes = new Map<string, Lane>();
  readonly #queues = new Map<string, MachineQueue>();
  readonly #underWay = new Set<Promise<void>>();

  constructor(doors: ApplyDoors, settings: ApplySettings, signal: AbortSignal) {
    this.#doors = doors;
    this.#settings = settings;
    this.#signal = signal;
    this.#attempts = new Attempts(doors.clock, doors.random);
    this.#suspects = new Suspects(doors.clock, doors.random);
    const close = (): void => {
      for (const each of [...this.#lanes.values(), ...this.#queues.values()]) each.close();
    };
    signal.addEventListener('abort', close, { once: true });
  }

  /** Follows this plan from now on, and forgets what an older one asked for and has not begun. */
  apply({ free, machines }: Plan): void {
    if (this.#signal.aborted) return;
    this.#attempts.keep([...free, ...machines.flatMap(({ objects }) => objects)]);
    const byNode = Map.groupBy(free, nodeOf);
    for (const [node, lane] of this.#lanes) {
      if (!byNode.has(node)) lane.offer([]);
      if (lane.idle) this.#lanes.delete(node);
    }
    for (const [node, operations] of byNode) this.#laneOf(node).offer(operations);
    this.#suspects.tidy();
    this.#applyMachines(machines);
  }

  /** Until nothing is under way any more, `ms` at most. For after the signal; what ARM has begun, it will finish. */
  async ended(ms: number): Promise<void> {
    const all = Promise.allSettled([...this.#underWay]);
    await waitFor(all, ms, { clock: this.#doors.clock, signal: new AbortController().signal });
  }

  #applyMachines(machines: Plan['machines']): void {
    const named = new Map(machines.map((plan) => [machineKey(plan.machine), plan]));
    for (const [name, queue] of this.#queues) {
      if (named.has(name)) continue;
      queue.offer(undefined);
      if (!queue.working) this.#queues.delete(name);
    }
    for (const [name, plan] of named) this.#queueOf(name).offer(plan);
  }

  #laneOf(node: string): Lane {
    const known = this.#lanes.get(node);
    if (known) return known;
    const { clock } = this.#doors;
    const run = (operation: ObjectOperation): Promise<void> => this.#track(this.#write(operation, node));
    const options = { attempts: this.#attempts, batch: this.#settings.batch, signal: this.#signal };
    const lane = new Lane({ clock, run, ...options });
    this.#lanes.set(node, lane);
    return lane;
  }

  #queueOf(name: string): MachineQueue {
    const known = this.#queues.get(name);
    if (known) return known;
    const queue = new MachineQueue(name, {
      ...{ doors: this.#doors, settings: this.#settings, attempts: this.#attempts, signal: this.#signal },
      suspects: this.#suspects,
      onRound: (round) => void this.#track(round),
      writeAll: (operations) => this.#writeAll(operations, name),
    });
    this.#queues.set(name, queue);
    return queue;
  }

  async #writeAll(operations: readonly ObjectOperation[], lane: string): Promise<void> {
    const waiting = byTurns(operations);
    const worker = async (): Promise<void> => {
      for (let next = waiting.shift(); next && !this.#signal.aborted; next = waiting.shift())
        await this.#write(next, lane);
    };
    await Promise.all(Array.from({ length: this.#settings.batch }, worker));
  }

  #write(operation: ObjectOperation, lane: string): Promise<void> {
    const doors = { ...this.#doors, attempts: this.#attempts };
    return write(operation, doors, { lane, signal: this.#signal });
  }

  #track(work: Promise<void>): Promise<void> {
    this.#underWay.add(work);
    return work.finally(() => this.#underWay.delete(work));
  }
}

/** Whose turn it is: an object's node, which is what the original divided its work by. */
function nodeOf(operation: ObjectOperation): string {
  return operation.kind === 'create' || operation.kind === 'update'
    ? operation.target.node
    : operation.object.node;
}
