import { AppError, messageOf } from '../model/errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { Exec } from '../platform/exec.ts';
import type { Logger } from '../platform/log.ts';
import type { Answers } from './answers.ts';
import { type BackendChoice, chooseBackend, type ReadFile } from './backend.ts';
import { BothBackends, type Copy } from './both-backends.ts';
import type { Seen } from './compare.ts';
import { cutUnredirected } from './conntrack.ts';
import type { Iptables } from './iptables.ts';
import { Keeper, type Standing } from './keeper.ts';
import { Others, type Redirects } from './others.ts';
import { RouteGuard } from './route-guard.ts';
import {
  chainLines,
  guardChain,
  guardPlace,
  type OwnChain,
  type RedirectRules,
  redirectChain,
  redirectPlace,
} from './rules.ts';
import { lowerGuard, type Spare } from './withdraw.ts';

/** `mangle`: a chain that drops; `both`: routing rules beside it, which a flush of every table leaves standing. */
export type GuardChoice = 'mangle' | 'both' | 'off';

export interface UpkeepOptions {
  readonly exec: Exec;
  /** `no` also for where this process itself answers. */
  readonly answers: Answers;
  readonly clock: Clock;
  readonly log: Logger;
  readonly readFile: ReadFile;
  readonly rules: RedirectRules;
  readonly guard: GuardChoice;
  readonly backend: BackendChoice;
  /** End connections that are not redirected, at start and after each repair. */
  readonly conntrackDeletion: boolean;
  /** Something of ours (a chain, the routes, the other backend) was put right after it had stood; and what was found. */
  readonly onRepair: (what: string, found: string) => void;
}

/** What should stand of the redirect. */
interface Wanted {
  readonly chain: OwnChain;
  readonly port: number;
}

const nothing = Promise.resolve(undefined);

/** Brings the kernel to what is wanted, one look at a time. */
export class Upkeep {
  readonly both: BothBackends;
  readonly routes: RouteGuard;
  readonly #options: UpkeepOptions;
  readonly #keeper: Keeper;
  readonly #others: Others;
  /** Open for connections to the agent, and closed for those that must wait for the next. */
  readonly #guards: { readonly open: OwnChain; readonly closed: OwnChain };
  #guardWanted = false;
  #redirect: Wanted | undefined;
  #iptables: Iptables | undefined;
  /** What an earlier start with another `--guard` left is out. */
  #guardSettled = false;
  #routesSettled = false;
  /** Since the last time, connections may have been opened that are not redirected. */
  #cutDue = true;
  /** What the last cut failed on. */
  #uncut: string | undefined;

  constructor(options: UpkeepOptions) {
    this.#options = options;
    const { log, clock, exec, rules, answers } = options;
    this.both = new BothBackends(options, log);
    this.#others = new Others(answers, rules);
    this.routes = new RouteGuard(exec, rules);
    this.#guards = { open: guardChain(rules), closed: guardChain(rules, { closed: true }) };
    this.#keeper = new Keeper({ log, clock, onRepair: (what, found) => this.#repaired(what, found) });
  }

  get iptables(): Iptables | undefined {
    return this.#iptables;
  }

  wantGuard(): void {
    this.#guardWanted = true;
  }

  wantRedirect(port: number): void {
    this.#redirect = { chain: redirectChain(this.#options.rules, port), port };
  }

  /** New connections wait for the next agent. Throws AppError `iptables-failed`. */
  async closeGuard(): Promise<void> {
    if (this.#options.guard !== 'off') await this.#keeper.mend(await this.#chosen(), this.#guards.closed);
  }

  /** From now on nothing of ours is put in or judged. */
  wantNothing(): void {
    this.#guardWanted = false;
    this.#redirect = undefined;
    this.#keeper.forget();
  }

  standing(what: 'guard' | 'redirect'): Standing {
    return this.#keeper.standing((what === 'guard' ? guardPlace : redirectPlace).name);
  }

  /**
   * Makes stand what is wanted. `yielded` when the redirect was found to be another agent's, which answers: it keeps the guard,
   * too. Throws when something could not be told or done, after trying the rest.
   */
  async mend(): Promise<'stands' | 'yielded'> {
    if (!this.#guardWanted && !this.#redirect) return 'stands';
    // What is out of reach is no reason to leave the rest alone: the routes are there for when the tables fail.
    const failures: unknown[] = [];
    const noted = (error: unknown): void => void failures.push(error);
    await this.#mendRoutes().catch(noted);
    const yielded = await this.#mendTables(noted).catch(noted);
    if (yielded === true) return 'yielded';
    if (failures.length > 0) throw failures[0];
    return 'stands';
  }

  /** True when the redirect is another's, and was left alone with the guard. */
  async #mendTables(noted: (error: unknown) => void): Promise<boolean> {
    const iptables = await this.#chosen();
    const redirect = this.#redirect;
    const look = (chain: OwnChain | undefined): Promise<Seen | undefined> =>
      chain
        ? this.#keeper
            .look(iptables, chain)
            .catch(noted)
            .then((found) => found || undefined)
        : nothing;
    const guard = this.#options.guard === 'off' ? undefined : this.#guards.open;
    // Both at once: see iptables.ts.
    const [seen, guardSeen] = await Promise.all([look(redirect?.chain), look(guard)]);
    // After our own: who moves the redirect to the other backend writes it there before it cleans up here.
    const copy = redirect && (await this.both.lookAtOther(iptables.backend).catch(noted));
    // Until ours has stood, another's name in it means a predecessor; from then on, a successor.
    const stood = this.#keeper.stood(redirectPlace.name);
    if (stood && (await this.#others.have(copies(seen?.lines, copy?.redirect), redirect?.port))) return true;
    await this.#mendGuard(iptables, guardSeen).catch(noted);
    if (redirect && seen)
      await this.#mendRedirect(iptables, redirect, { seen, copy: copy || undefined }).catch(noted);
    return false;
  }

  /** Whether the redirect leads to another agent that may well be alive. Throws when it could not be told. */
  async isAnothers(): Promise<boolean> {
    return this.#others.have(await this.#redirects(), this.#redirect?.port);
  }

  /** Tells another's redirect from its lines, as {@link isAnothers} does; nobody else has the port that is ours now. */
  anothers(): Spare {
    const port = this.#redirect?.port;
    return (lines) => this.#others.have([lines], port);
  }

  /** Whether somebody answers where the redirect leads, other than on this agent's `port`. Throws when it could not be told. */
  async isServedByAnother(port?: number): Promise<'yes' | 'no' | 'unknown'> {
    return this.#others.serve(await this.#redirects(), port);
  }

  /** That of another agent may stand in the backend that we do not use. */
  async #redirects(): Promise<Redirects> {
    const { rules } = this.#options;
    const iptables = await this.#chosen();
    // Any port does: it is the chain's place that is looked at.
    const { lines } = await this.#keeper.look(iptables, redirectChain(rules, rules.ports[0]));
    const { redirect } = await this.both.lookAtOther(iptables.backend);
    return copies(lines, redirect);
  }

  async #mendRoutes(): Promise<void> {
    const { guard } = this.#options;
    if (guard === 'both' && (await this.routes.mend()) === 'repaired') this.#repaired('routes', 'missing');
    // What a start with another `--guard` left.
    if (guard !== 'both' && !this.#routesSettled) await this.routes.withdraw();
    this.#routesSettled = true;
  }

  /** One that a predecessor closed stays so until our listener answers. */
  async #mendGuard(iptables: Iptables, seen: Seen | undefined): Promise<void> {
    const { open, closed } = this.#guards;
    const isClosed = seen?.lines?.join() === chainLines(closed).join();
    if (seen) await this.#keeper.mend(iptables, isClosed && !this.#redirect ? closed : open, seen);
    if (this.#options.guard === 'off') await this.#settleGuard(iptables);
  }

  async #settleGuard(iptables: Iptables): Promise<void> {
    if (this.#guardSettled) return;
    const { failed } = await this.both.remove(lowerGuard, iptables.backend);
    if (failed.length > 0) throw new AppError('iptables-failed', failed.join('; '));
    this.#guardSettled = true;
  }

  async #mendRedirect(
    iptables: Iptables,
    { chain }: Wanted,
    { seen, copy }: { readonly seen: Seen; readonly copy: Copy | undefined },
  ): Promise<void> {
    const spare = this.#keeper.stood(chain.name) ? this.anothers() : undefined;
    await this.#keeper.mend(iptables, chain, seen);
    // Only now: until ours stands, a predecessor's copy in the other backend is better than none.
    const stale = copy?.redirect || copy?.guard ? await this.both.cleanOther(iptables.backend, spare) : [];
    if (stale.length > 0) {
      this.#options.log.warn({ removed: stale }, 'stale copy in the other iptables backend removed');
      this.#repaired('other backend', 'stale-copy');
    }
    await this.#cut();
  }

  #repaired(what: string, found: string): void {
    this.#cutDue = true;
    this.#options.onRepair(what, found);
  }

  async #chosen(): Promise<Iptables> {
    if (this.#iptables) return this.#iptables;
    const { exec, readFile, backend, log, rules } = this.#options;
    const chains = [this.#guards.open, redirectChain(rules, rules.ports[0])];
    const { iptables, why } = await chooseBackend({ exec, readFile, choice: backend, chains });
    log.info({ backend: iptables.backend, why }, 'iptables backend chosen');
    this.#iptables = iptables;
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
}

function copies(...chains: readonly (readonly string[] | undefined)[]): Redirects {
  return chains.filter((lines) => lines !== undefined);
}
