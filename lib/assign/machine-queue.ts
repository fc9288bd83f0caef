import { isAppError, messageOf } from '../model/errors.ts';
import type { Timer } from '../platform/clock.ts';
import { retryAfterMs } from '../platform/retry-after.ts';
import type { ApplyDoors, ApplySettings } from './apply-doors.ts';
import type { Attempts } from './attempts.ts';
import type { Change } from './identity-patch.ts';
import type { Machine } from './machine.ts';
import type { Condition, MachinePlan, ObjectOperation } from './operation.ts';
import { refusalEvents, troubleEvents } from './outcome-events.ts';
import { pauseMs, soon } from './pause.ts';
import { Setbacks } from './setbacks.ts';
import { type Settled, settle } from './settle.ts';
import type { Suspects } from './suspects.ts';

export interface QueueOptions {
  readonly doors: ApplyDoors;
  readonly settings: ApplySettings;
  readonly attempts: Attempts;
  readonly suspects: Suspects;
  readonly signal: AbortSignal;
  /** Is given every round as it begins. */
  readonly onRound: (round: Promise<void>) => void;
  /** Runs operations, so many at once; resolves when all have run. */
  readonly writeAll: (operations: readonly ObjectOperation[]) => Promise<void>;
}

/** While the caches are behind, ms. */
const staleMs = 5_000;

/**
 * The work on one machine, one round at a time, always by the newest plan: ARM is asked when an object waits for it and when a
 * repair is due. After a round that leaves something open ARM is left in peace for as long as it asks, and longer each time.
 */
export class MachineQueue {
  readonly #options: QueueOptions;
  readonly #name: string;
  readonly #setbacks: Setbacks;
  /** Undefined where there is nothing to do any more. */
  #plan: MachinePlan | undefined;
  #timer: Timer | undefined;
  #working = false;
  #failures = 0;
  /** ms of the monotonic clock. */
  #restUntil = 0;
  #repairAt: number;

  /** `name`: of the machine, for the log and for whose turn it is. */
  constructor(name: string, options: QueueOptions) {
    const { doors, suspects } = options;
    const { clock, random } = doors;
    this.#options = options;
    this.#name = name;
    this.#setbacks = new Setbacks(name, suspects, doors);
    // Spread, so that a MIC that takes over does not ask about a thousand machines in one moment.
    this.#repairAt = clock.monotonic() + options.settings.repairMs * random();
  }

  /** A round is under way. */
  get working(): boolean {
    return this.#working;
  }

  offer(plan: MachinePlan | undefined): void {
    this.#plan = plan;
    this.#next();
  }

  /** For after the signal. */
  close(): void {
    this.#timer?.cancel();
  }

  #next(): void {
    const { clock } = this.#options.doors;
    this.#timer?.cancel();
    const plan = this.#plan;
    if (this.#working || this.#options.signal.aborted) return;
    // Not in a round: what ARM refuses in it is to be laid to those who asked for it, whatever they ask for by then.
    this.#setbacks.keep(plan ?? {});
    if (!plan) return;
    const ms = this.#waitMs(plan);
    if (ms > 0) this.#timer = clock.after(ms, () => this.#next());
    else this.#options.onRound(this.#work(plan));
  }

  /** Until there is something to do, ms. */
  #waitMs(plan: MachinePlan): number {
    const now = this.#options.doors.clock.monotonic();
    const asked = Math.min(...plan.objects.map((operation) => this.#waitOf(operation)));
    const repair = plan.wanted.length > 0 ? this.#repairAt - now : Number.POSITIVE_INFINITY;
    const ms = Math.max(Math.min(asked, repair), this.#restUntil - now, 0);
    // A timer takes no infinity.
    return Math.min(ms, this.#options.settings.repairMs);
  }

  readonly #isDue = (operation: ObjectOperation): boolean => this.#waitOf(operation) === 0;

  /** An operation waits for its own time, and for that of the change that it depends on. */
  #waitOf(operation: ObjectOperation): number {
    const ms = this.#options.attempts.waitMs(operation);
    const when = conditionOf(operation);
    return when.kind === 'now' ? ms : Math.max(ms, this.#setbacks.waitMs({ id: when.id, to: when.kind }));
  }

  async #work(plan: MachinePlan): Promise<void> {
    const { signal, doors } = this.#options;
    this.#working = true;
    try {
      if (doors.isFresh()) await this.#round(plan);
      else this.#rest(staleMs);
    } catch (error) {
      if (!signal.aborted) this.#stumble(error, plan.machine, plan.objects.filter(this.#isDue));
    } finally {
      this.#working = false;
      this.#next();
    }
  }

  /** Rejects where ARM cannot be asked. */
  async #round(plan: MachinePlan): Promise<void> {
    const { doors, settings, signal, attempts, writeAll } = this.#options;
    const { clock, arm } = doors;
    const began = clock.monotonic();
    this.#repairAt = began + settings.repairMs;
    const settled = await settle(plan, {
      ...{ arm, setbacks: this.#setbacks, signal },
      immutable: settings.immutable,
      rest: async () => {
        if (settings.retryMs) await clock.sleep(settings.retryMs, signal);
      },
    });
    signal.throwIfAborted();
    this.#tell(plan, settled, clock.monotonic() - began);
    const due = plan.objects.filter((operation) => attempts.waitMs(operation) === 0);
    const ready = due.filter((operation) => settled.holds(conditionOf(operation)));
    await writeAll(ready);
    const left = plan.objects.filter(
      (operation) => !settled.holds(conditionOf(operation)) && this.#isDue(operation),
    );
    const trouble = settled.trouble ?? (left.length > 0 ? unfinished(settled, plan.machine) : undefined);
    if (trouble === undefined) this.#failures = 0;
    else this.#stumble(trouble, plan.machine, left);
  }

  #tell({ machine, objects }: MachinePlan, settled: Settled, ms: number): void {
    const { done, refused, undecided, difference } = settled;
    const { tell, log } = this.#options.doors;
    const waits = this.#setbacks.refused(refused.map(({ change }) => change));
    this.#setbacks.undecided(undecided);
    for (const [at, one] of refused.entries()) {
      const againMs = waits[at] ?? 0;
      const { id, to } = one.change;
      const waiting = objects.filter((operation) => {
        const when = conditionOf(operation);
        return when.kind !== 'now' && when.id === id;
      });
      log.warn(
        { machine: this.#name, identity: id, to, code: one.code, why: one.message, againMs },
        'identity refused',
      );
      for (const event of refusalEvents(one, waiting, { machine, againMs })) tell(event);
    }
    if (done.length + refused.length === 0) return;
    const count = (to: Change['to']): number => done.filter((change) => change.to === to).length;
    const counts = {
      add: count('on'),
      del: count('off'),
      renewed: difference.renew.length,
      refused: refused.length,
      undecided: undecided.length,
    };
    log.info({ machine: this.#name, ...counts, ms: Math.round(ms) }, 'machine processed');
  }

  /** Something is open: for as long as ARM asks for, and longer each time. `left` is what waits for it. */
  #stumble(error: unknown, machine: Machine, left: readonly ObjectOperation[]): void {
    const { clock, random, log, tell } = this.#options.doors;
    this.#failures += 1;
    const { retryAfter = undefined } = isAppError(error) ? error : {};
    const asked = retryAfterMs(retryAfter, clock.now()) ?? 0;
    const ms = Math.max(asked * (1 + 0.1 * random()), pauseMs(soon, this.#failures, random));
    this.#rest(ms);
    const why = messageOf(error);
    log.warn({ machine: this.#name, why, againMs: Math.round(ms) }, 'machine not settled');
    for (const event of troubleEvents(why, left, { machine, againMs: ms })) tell(event);
  }

  #rest(ms: number): void {
    this.#restUntil = this.#options.doors.clock.monotonic() + ms;
  }
}

function unfinished({ isGone }: Settled, { resourceGroup }: Machine): Error {
  return new Error(
    isGone
      ? `there is no such machine in resource group ${resourceGroup}`
      : 'ARM has not made all that is wanted',
  );
}

function conditionOf(operation: ObjectOperation): Condition {
  return operation.kind === 'create' || operation.kind === 'update' ? { kind: 'now' } : operation.when;
}
