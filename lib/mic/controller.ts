import { Applier } from '../assign/apply.ts';
import type { ApplyDoors, ApplySettings } from '../assign/apply-doors.ts';
import type { Plan } from '../assign/operation.ts';
import { plan } from '../assign/plan.ts';
import type { PlanSettings, Snapshot } from '../assign/snapshot.ts';
import { messageOf } from '../model/errors.ts';
import type { Timer } from '../platform/clock.ts';
import { Loop } from '../platform/loop.ts';
import type { MicMetrics } from '../platform/mic-metrics.ts';

/** Changes that come together make one plan, ms. */
const minMs = 200;
/** After a failure, and while the caches are behind, ms. */
const retryMs = 5_000;
/** For what is under way when the lease is lost or MIC is told to end, ms. A change that ARM has begun goes on without us. */
const lastMs = 3_000;

export interface ControllerOptions {
  readonly doors: ApplyDoors;
  readonly applySettings: ApplySettings;
  /** As they are now: the cloud configuration may change. */
  readonly planSettings: () => PlanSettings;
  /** `--syncRetryDuration`, ms. */
  readonly everyMs: number;
  readonly snapshot: (nowMs: number) => Snapshot;
  readonly onProblems: (problems: Plan['problems']) => void;
  readonly metrics: MicMetrics;
}

/** Observe, plan, apply; again whenever something changes. Works only while it leads. */
export class Controller {
  readonly #options: ControllerOptions;
  #loop: Loop | undefined;
  #again: Timer | undefined;
  /** ms of the monotonic clock. */
  #restUntil = 0;

  constructor(options: ControllerOptions) {
    this.#options = options;
  }

  /** Something has changed. */
  trigger(): void {
    this.#loop?.trigger();
  }

  /** Until `signal` aborts, and what was under way then has ended or is left to itself. */
  async lead(signal: AbortSignal): Promise<void> {
    const { doors, applySettings, everyMs } = this.#options;
    const { clock, random, log } = doors;
    const applier = new Applier(doors, applySettings, signal);
    this.#loop = new Loop(async () => this.#sync(applier), {
      ...{ clock, random, everyMs, retryMs, minMs },
      onError: (error) => log.error({ why: messageOf(error) }, 'no plan made; trying again'),
    });
    await this.#loop.run(signal);
    this.#loop = undefined;
    this.#again?.cancel();
    await applier.ended(lastMs);
  }

  #sync(applier: Applier): void {
    const { doors, snapshot, planSettings, onProblems, metrics } = this.#options;
    const { clock, log, isFresh } = doors;
    // What may be missing in the caches would be taken away.
    if (!isFresh()) {
      this.#lookAgain(retryMs);
      return;
    }
    const began = clock.monotonic();
    if (began < this.#restUntil) {
      this.#lookAgain(this.#restUntil - began);
      return;
    }
    const seen = snapshot(clock.now());
    const made = plan(seen, planSettings());
    applier.apply(made);
    onProblems(made.problems);
    const ms = clock.monotonic() - began;
    // Planning takes half of the time at most: a lease has to be renewed, however many objects there are.
    this.#restUntil = began + 2 * ms;
    metrics.cycle.observe(ms / 1000);
    if (made.againAtMs !== undefined) this.#lookAgain(made.againAtMs - clock.now());
    const waiting = made.machines.reduce((sum, { objects }) => sum + objects.length, 0);
    if (made.free.length + waiting === 0) return;
    metrics.cycles.inc();
    const counts = { free: made.free.length, waiting, machines: made.machines.length };
    log.info({ ...counts, problems: made.problems.length, ms: Math.round(ms) }, 'work planned');
  }

  #lookAgain(ms: number): void {
    this.#again?.cancel();
    this.#again = this.#options.doors.clock.after(Math.max(ms, 0), () => this.trigger());
  }
}
