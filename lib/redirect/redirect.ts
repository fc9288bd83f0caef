import { AppError, isAppError, messageOf } from '../model/errors.ts';
import { Loop } from '../platform/loop.ts';
import type { BackendName } from './iptables.ts';
import type { Standing } from './keeper.ts';
import { Upkeep, type UpkeepOptions } from './upkeep.ts';
import { type Spare, unhook, withdraw } from './withdraw.ts';

export interface RedirectOptions extends UpkeepOptions {
  /** 0 to 1, as Math.random. */
  readonly random: () => number;
  /** Looks at least this often, seconds; only a value below the backend's own pace changes anything. */
  readonly updateSeconds?: number;
}

/** The last look at the kernel. `why` tells what it failed on. */
export interface RedirectState {
  readonly backend?: BackendName;
  readonly guard: Standing | 'off';
  readonly redirect: Standing;
  /** The pods' redirect leads to another agent. */
  readonly yielded: boolean;
  readonly why?: string;
}

/**
 * The redirect stage. Only `withdraw` throws: what else fails is logged, shows in `state`, and is tried again by `keep`, since
 * an agent that ends for it would leave its pods without a guard, or come back again and again.
 */
export interface Redirect {
  /** Before anything else at start. */
  raiseGuard(): Promise<void>;
  /** Once the listener answers on `port`: chain and jump, whoever had them, and out with a stale copy in the other backend. */
  redirect(port: number): Promise<void>;
  /** Keeps what was asked for so far, until `signal` aborts or another agent has taken the redirect. */
  keep(signal: AbortSignal): Promise<void>;
  /** Resolves when nobody answers where the redirect leads, or `signal` aborts. */
  standBy(signal: AbortSignal): Promise<void>;
  /** Whether another agent answers where the redirect leads; nobody else can on `port`, which this agent has. */
  isServedByAnother(port: number): Promise<boolean>;
  /**
   * Takes everything out of both backends: jump, then, once `drain` has ended, chain and guard; `keep` puts nothing back
   * from then on. Requests in flight need the wait: where no other rule of the node uses conntrack, the kernel stops
   * translating their packets as soon as our chains go (measured, Linux 6.18). New connections meet the guard meanwhile.
   * Leaves alone what another agent has taken. Returns what was removed as `BACKEND TABLE: LINE`. Throws AppError
   * `iptables-failed` when something may be left; it can be called again.
   */
  withdraw(drain: () => Promise<void>): Promise<readonly string[]>;
  /**
   * Leaves everything standing for the next agent, and lets requests in flight end by `drain`. A new connection waits for the
   * next agent, by sending its SYN again; should that fail, it is refused.
   */
  leaveStanding(drain: () => Promise<void>): Promise<void>;
  state(): RedirectState;
}

/**
 * How often the kernel is looked at, ms. A look costs an idle node 13 ms of CPU on nft and, with thousands of rules, 35 on legacy
 * (scripts/bench --redirect): this keeps it under 1 % of a core, and heals within 2 s and 6 s.
 */
const pace: Readonly<Record<BackendName, number>> = { nft: 1_700, legacy: 5_000 };
/** A standby takes over after so many looks in a row that found nobody. */
const patience = 2;

export function createRedirect(options: RedirectOptions): Redirect {
  return new KernelRedirect(options);
}

class KernelRedirect implements Redirect {
  readonly #options: RedirectOptions;
  readonly #upkeep: Upkeep;
  #yielded = false;
  #why: string | undefined;
  /** The end of the last step: steps never overlap. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: RedirectOptions) {
    this.#options = options;
    this.#upkeep = new Upkeep(options);
  }

  async raiseGuard(): Promise<void> {
    this.#upkeep.wantGuard();
    await this.#mend().catch((error: unknown) => this.#failed(error));
  }

  async redirect(port: number): Promise<void> {
    this.#upkeep.wantGuard();
    this.#upkeep.wantRedirect(port);
    this.#yielded = false;
    await this.#mend().catch((error: unknown) => this.#failed(error));
  }

  async keep(signal: AbortSignal): Promise<void> {
    await this.#repeat(signal, async () => {
      await this.#mend();
      return this.#yielded;
    });
  }

  async standBy(signal: AbortSignal): Promise<void> {
    let misses = 0;
    await this.#repeat(signal, async () => {
      const served = await this.#inTurn(() => this.#upkeep.isServedByAnother());
      this.#recovered();
      misses = served === 'no' ? misses + 1 : 0;
      return misses >= patience;
    });
  }

  async isServedByAnother(port: number): Promise<boolean> {
    try {
      return (await this.#inTurn(() => this.#upkeep.isServedByAnother(port))) === 'yes';
    } catch {
      return false; // what cannot be looked at cannot be taken either: keep tries on, and tells
    }
  }

  withdraw(drain: () => Promise<void>): Promise<readonly string[]> {
    return this.#inTurn(async () => {
      const anothers = this.#upkeep.anothers();
      this.#upkeep.wantNothing();
      if (!this.#yielded) return this.#takeOut(drain, anothers);
      await drain();
      return [];
    });
  }

  leaveStanding(drain: () => Promise<void>): Promise<void> {
    return this.#inTurn(async () => {
      const isOurs =
        !this.#yielded &&
        (await this.#upkeep.isAnothers().then(
          (is) => !is,
          () => false,
        ));
      this.#upkeep.wantNothing();
      if (isOurs) await this.#upkeep.closeGuard().catch((error: unknown) => this.#failed(error));
      await drain();
    });
  }

  state(): RedirectState {
    const { iptables } = this.#upkeep;
    return {
      guard: this.#options.guard === 'off' ? 'off' : this.#upkeep.standing('guard'),
      redirect: this.#yielded ? 'absent' : this.#upkeep.standing('redirect'),
      yielded: this.#yielded,
      ...(iptables && { backend: iptables.backend }),
      ...(this.#why !== undefined && { why: this.#why }),
    };
  }

  async #takeOut(drain: () => Promise<void>, anothers: Spare): Promise<readonly string[]> {
    const { both, routes, iptables } = this.#upkeep;
    // Another may have taken it since the last look, and may at any moment from now.
    let isAnothers = false;
    const spare: Spare = async (lines) => {
      isAnothers = isAnothers || (await anothers(lines));
      return isAnothers;
    };
    // What fails here is tried, and reported, by the second step.
    const { removed: jumps } = await both.remove(unhook, iptables?.backend, spare);
    await drain();
    const { removed, failed } = await both.remove(withdraw, iptables?.backend, spare);
    const rules = isAnothers
      ? []
      : await routes.withdraw().catch((error: unknown) => void failed.push(messageOf(error)));
    if (failed.length > 0) throw new AppError('iptables-failed', failed.join('; '));
    return [...jumps, ...removed, ...(rules ?? [])];
  }

  async #mend(): Promise<void> {
    await this.#inTurn(async () => {
      if ((await this.#upkeep.mend()) === 'yielded') this.#yield();
    });
    this.#recovered();
  }

  #yield(): void {
    this.#yielded = true;
    this.#upkeep.wantNothing();
    this.#options.log.info({}, 'another agent has taken the redirect');
  }

  /** Looks again and again until `look` says that it is done. */
  async #repeat(signal: AbortSignal, look: () => Promise<boolean>): Promise<void> {
    const { clock, random, updateSeconds } = this.#options;
    const own = pace[this.#upkeep.iptables?.backend ?? 'nft'];
    const everyMs = Math.min(own, updateSeconds === undefined ? own : updateSeconds * 1_000);
    const done = new AbortController();
    const work = async (): Promise<void> => {
      if (await look()) done.abort();
    };
    const onError = (error: unknown): void => this.#failed(error);
    const loop = new Loop(work, {
      clock,
      random,
      onError,
      everyMs,
      retryMs: Math.min(1_000, everyMs),
      minMs: 100,
    });
    await loop.run(AbortSignal.any([signal, done.signal]));
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(step);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  #recovered(): void {
    if (this.#why !== undefined) this.#options.log.info({}, 'iptables answers again');
    this.#why = undefined;
  }

  #failed(error: unknown): void {
    const why = messageOf(error);
    if (why === this.#why) return;
    this.#why = why;
    if (isAppError(error, 'iptables-unusable')) this.#options.log.error({ why }, 'pods cannot be redirected');
    else this.#options.log.warn({ why }, 'iptables could not be read or changed; will retry');
  }
}
