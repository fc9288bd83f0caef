import { AppError, isAppError, messageOf } from '../model/errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { Exec } from '../platform/exec.ts';
import type { Logger } from '../platform/log.ts';
import { Loop } from '../platform/loop.ts';
import { type BackendChoice, chooseBackend, type ReadFile } from './backend.ts';
import { cutUnredirected } from './conntrack.ts';
import type { BackendName, Iptables } from './iptables.ts';
import { Keeper, type Standing } from './keeper.ts';
import { guardChain, type OwnChain, type RedirectRules, redirectChain } from './rules.ts';
import { unhook, withdraw } from './withdraw.ts';

export interface RedirectOptions {
  readonly exec: Exec;
  readonly clock: Clock;
  readonly log: Logger;
  readonly readFile: ReadFile;
  /** 0 to 1, as Math.random. */
  readonly random: () => number;
  readonly rules: RedirectRules;
  readonly backend: BackendChoice;
  /** Looks at least this often, seconds; only a value below the backend's own pace changes anything. */
  readonly updateSeconds?: number;
  /** End connections that are not redirected, at start and after each repair. */
  readonly conntrackDeletion: boolean;
  /** Called with the chain's name after each repair of something that had stood. */
  readonly onRepair: (chain: string) => void;
}

/** The last look at the kernel. `redirect` is what readiness asks for; `why` tells what the last look failed on. */
export interface RedirectState {
  readonly backend?: BackendName;
  readonly guard: Standing;
  readonly redirect: Standing;
  readonly why?: string;
}

/**
 * The redirect stage. `raiseGuard` and `redirect` throw AppError `iptables-unusable` when no trying will help; whatever
 * may pass is logged, shows in `state`, and is left to `keep`.
 */
export interface Redirect {
  /** Before anything else at start. */
  raiseGuard(): Promise<void>;
  /** Once the listener answers: chain and jump, and out with a stale copy in the other backend. */
  redirect(): Promise<void>;
  /** Keeps what was asked for so far, until `signal` aborts. */
  keep(signal: AbortSignal): Promise<void>;
  /**
   * Takes everything out of both backends: jump, then, once `drain` has ended, chain and guard; `keep` puts nothing back
   * from then on. Requests in flight need the wait: where no other rule of the node uses conntrack, the kernel stops
   * translating their packets as soon as our chains go (measured, Linux 6.18). New connections meet the guard meanwhile.
   * Returns what was removed as `BACKEND TABLE: LINE`. Throws AppError `iptables-failed` when something may be left; it
   * can be called again.
   */
  withdraw(drain: () => Promise<void>): Promise<readonly string[]>;
  state(): RedirectState;
}

/** How often the kernel is looked at, ms: a look costs about 13 ms of CPU, more on legacy with thousands of rules. */
const pace: Readonly<Record<BackendName, number>> = { nft: 1_500, legacy: 5_000 };

export function createRedirect(options: RedirectOptions): Redirect {
  return new KernelRedirect(options);
}

class KernelRedirect implements Redirect {
  readonly #options: RedirectOptions;
  readonly #keeper: Keeper;
  readonly #guard: OwnChain;
  readonly #redirect: OwnChain;
  /** What should stand, in the order in which it goes in. */
  #wanted: readonly OwnChain[] = [];
  #iptables: Iptables | undefined;
  #otherIsClean = false;
  /** Since the last time, connections may have been opened that are not redirected. */
  #cutDue = true;
  /** What the last cut failed on. */
  #uncut: string | undefined;
  #why: string | undefined;
  /** The end of the last step: steps never overlap. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: RedirectOptions) {
    this.#options = options;
    const onRepair = (chain: string): void => {
      this.#cutDue = true;
      options.onRepair(chain);
    };
    this.#keeper = new Keeper({ log: options.log, onRepair });
    this.#guard = guardChain(options.rules);
    this.#redirect = redirectChain(options.rules);
  }

  raiseGuard(): Promise<void> {
    return this.#want([this.#guard]);
  }

  redirect(): Promise<void> {
    return this.#want([this.#guard, this.#redirect]);
  }

  keep(signal: AbortSignal): Promise<void> {
    const { clock, random, updateSeconds } = this.#options;
    const own = pace[this.#iptables?.backend ?? 'nft'];
    const everyMs = Math.min(own, updateSeconds === undefined ? own : updateSeconds * 1_000);
    const onError = (error: unknown): void => this.#failed(error);
    const look = (): Promise<void> => this.#inTurn(() => this.#mend());
    const retryMs = Math.min(1_000, everyMs);
    return new Loop(look, { clock, random, onError, everyMs, retryMs, minMs: 100 }).run(signal);
  }

  withdraw(drain: () => Promise<void>): Promise<readonly string[]> {
    this.#wanted = [];
    return this.#inTurn(async () => {
      this.#keeper.forget();
      // What fails here is tried, and reported, by the second step.
      const { removed: jumps } = await this.#fromBoth(unhook);
      await drain();
      const { removed, failed } = await this.#fromBoth(withdraw);
      if (failed.length > 0) throw new AppError('iptables-failed', failed.join('; '));
      return [...jumps, ...removed];
    });
  }

  state(): RedirectState {
    return {
      guard: this.#keeper.standing(this.#guard.name),
      redirect: this.#keeper.standing(this.#redirect.name),
      ...(this.#iptables && { backend: this.#iptables.backend }),
      ...(this.#why !== undefined && { why: this.#why }),
    };
  }

  async #want(chains: readonly OwnChain[]): Promise<void> {
    this.#wanted = chains;
    try {
      await this.#inTurn(() => this.#mend());
    } catch (error) {
      if (isAppError(error, 'iptables-unusable')) throw error;
      this.#failed(error);
    }
  }

  async #mend(): Promise<void> {
    const wanted = this.#wanted;
    if (wanted.length === 0) return;
    this.#iptables ??= await this.#choose();
    // The guard being out of reach is no reason to leave the redirect alone, nor the other way round.
    const iptables = this.#iptables;
    const failures: unknown[] = [];
    for (const chain of wanted) {
      await this.#keeper.mend(iptables, chain).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
    // Only now: until ours stands, a predecessor's copy in the other backend is better than none.
    if (wanted.includes(this.#redirect)) {
      await this.#cleanOther(iptables.backend);
      await this.#cut();
    }
    this.#recovered();
  }

  async #choose(): Promise<Iptables> {
    const { exec, readFile, backend, log } = this.#options;
    const chains = [this.#guard, this.#redirect];
    const { iptables, why } = await chooseBackend({ exec, readFile, choice: backend, chains });
    log.info({ backend: iptables.backend, why }, 'iptables backend chosen');
    return iptables;
  }

  /** A failure is told once and not tried again: what still goes to the metadata service directly dies in the guard. */
  async #cut(): Promise<void> {
    const { exec, rules, conntrackDeletion, log } = this.#options;
    if (!this.#cutDue || !conntrackDeletion) return;
    this.#cutDue = false;
    const why = await cutUnredirected(exec, rules).then(() => undefined, messageOf);
    if (why !== undefined && why !== this.#uncut) log.warn({ why }, 'old connections could not be ended');
    this.#uncut = why;
  }

  async #cleanOther(chosen: BackendName): Promise<void> {
    if (this.#otherIsClean) return;
    const removed = await this.#from(chosen === 'nft' ? 'legacy' : 'nft', withdraw);
    if (removed.length > 0)
      this.#options.log.warn({ removed }, 'stale copy in the other iptables backend removed');
    this.#otherIsClean = true;
  }

  async #fromBoth(step: typeof withdraw): Promise<{ removed: string[]; failed: string[] }> {
    const removed: string[] = [];
    const failed: string[] = [];
    for (const backend of ['nft', 'legacy'] as const) {
      await this.#from(backend, step).then(
        (lines) => removed.push(...lines),
        (error: unknown) => failed.push(messageOf(error)),
      );
    }
    return { removed, failed };
  }

  async #from(backend: BackendName, step: typeof withdraw): Promise<readonly string[]> {
    try {
      return await step(this.#options, backend);
    } catch (error) {
      const isOurs = this.#iptables === undefined || this.#iptables.backend === backend;
      if (isOurs || !isAppError(error, 'iptables-unusable')) throw error;
      // A backend that this kernel or container cannot use at all holds up neither the start nor the end.
      this.#options.log.warn(
        { backend, why: messageOf(error) },
        'the other iptables backend could not be searched',
      );
      return [];
    }
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(step);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  #failed(error: unknown): void {
    const why = messageOf(error);
    if (why !== this.#why)
      this.#options.log.warn({ why }, 'iptables could not be read or changed; will retry');
    this.#why = why;
  }

  #recovered(): void {
    if (this.#why !== undefined) this.#options.log.info({}, 'iptables answers again');
    this.#why = undefined;
  }
}
