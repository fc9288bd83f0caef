import type { Clock, Timer } from '../platform/clock.ts';
import { type Attempts, objectKeyOf } from './attempts.ts';
import { byTurns } from './by-turns.ts';
import type { ObjectOperation } from './operation.ts';

export interface LaneOptions {
  readonly clock: Clock;
  readonly attempts: Attempts;
  /** Under way at once. */
  readonly batch: number;
  readonly run: (operation: ObjectOperation) => Promise<void>;
  /** After it nothing more is begun. */
  readonly signal: AbortSignal;
}

/**
 * Operations of one node that wait for no machine. What is offered takes the place of what still waits, so that the newest plan
 * alone is followed; an object has one write under way.
 */
export class Lane {
  readonly #options: LaneOptions;
  readonly #underWay = new Set<string>();
  #offered: readonly ObjectOperation[] = [];
  #ready: ObjectOperation[] = [];
  #timer: Timer | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** Nothing is under way and nothing waits. */
  get idle(): boolean {
    return this.#underWay.size === 0 && this.#offered.length === 0;
  }

  offer(operations: readonly ObjectOperation[]): void {
    this.#offered = operations;
    this.#fill();
  }

  /** For after the signal. */
  close(): void {
    this.#timer?.cancel();
  }

  #fill(): void {
    const { attempts, clock, signal } = this.#options;
    this.#timer?.cancel();
    if (signal.aborted) return;
    const waits = this.#offered.map((operation) => ({ operation, ms: attempts.waitMs(operation) }));
    // Pods wait for what is made; what is taken away has time.
    const due = waits.filter(({ ms }) => ms === 0).map(({ operation }) => operation);
    this.#ready = [...byTurns(due.filter((one) => !isEnd(one))), ...byTurns(due.filter(isEnd))];
    const next = Math.min(...waits.map(({ ms }) => (ms === 0 ? Number.POSITIVE_INFINITY : ms)));
    if (Number.isFinite(next)) this.#timer = clock.after(next, () => this.#fill());
    this.#serve();
  }

  #serve(): void {
    const { batch, run, signal } = this.#options;
    while (!signal.aborted && this.#underWay.size < batch) {
      const at = this.#ready.findIndex((one) => !this.#underWay.has(objectKeyOf(one)));
      const [next] = at < 0 ? [] : this.#ready.splice(at, 1);
      if (!next) return;
      const key = objectKeyOf(next);
      this.#underWay.add(key);
      void run(next).finally(() => {
        this.#underWay.delete(key);
        if (this.#ready.length > 0) this.#serve();
        else if (this.#underWay.size === 0 && !signal.aborted) this.#fill();
      });
    }
  }
}

function isEnd(operation: ObjectOperation): boolean {
  return operation.kind === 'delete' || (operation.kind === 'state' && operation.to === 'Unassigned');
}
