import { AppError } from '../model/errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/log.ts';
import { compare, type Difference, repairText, type Seen } from './compare.ts';
import type { Iptables } from './iptables.ts';
import { Observer } from './observe.ts';
import { Rivalry, type Stage } from './rivalry.ts';
import type { OwnChain } from './rules.ts';

/** The last answer of the kernel about one chain and its jumps. */
export type Standing = 'present' | 'absent' | 'unknown';

export interface KeeperOptions {
  readonly log: Logger;
  readonly clock: Clock;
  /** Called for each thing that was put right after it had stood. */
  readonly onRepair: (chain: string, found: Difference['kind']) => void;
}

/** Lines of others that one line of log repeats at most. */
const mostLines = 10;

/**
 * Keeps chains standing: observe, compare, restore, and observe again. What it remembers is for telling and for pacing only;
 * what it does follows from what the kernel shows.
 */
export class Keeper {
  readonly #options: KeeperOptions;
  readonly #observer = new Observer();
  readonly #rivalry: Rivalry;
  readonly #standing = new Map<string, Standing>();
  /** Chains that stood, or were written: putting those back is a repair, the first time is not. */
  readonly #stood = new Set<string>();

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#rivalry = new Rivalry(options.clock);
  }

  /** `unknown` until the chain was looked at. */
  standing(chain: string): Standing {
    return this.#standing.get(chain) ?? 'unknown';
  }

  /** Whether the chain stood as it should, or was written, since it was last forgotten. */
  stood(chain: string): boolean {
    return this.#stood.has(chain);
  }

  /** Forgets everything that was told, after the chains were removed or given up on purpose. */
  forget(): void {
    this.#standing.clear();
    this.#stood.clear();
  }

  /** What stands of the chain. Throws AppError `iptables-failed` when it could not be told. */
  async look(iptables: Iptables, chain: OwnChain): Promise<Seen> {
    const observed = await this.#observer.observe(iptables, chain);
    if (observed.kind === 'seen') return observed.seen;
    this.#standing.set(chain.name, 'unknown');
    throw new AppError('iptables-failed', observed.why);
  }

  /**
   * Makes the chain stand. `seen`: what a look has just shown of it. Throws AppError `iptables-failed` when that could not be
   * told or done, and when another program changed it again meanwhile.
   */
  async mend(iptables: Iptables, chain: OwnChain, seen?: Seen): Promise<void> {
    const found = seen ?? (await this.look(iptables, chain));
    const due = this.#judge(chain, compare(chain, found));
    if (due.length === 0) return;
    await iptables.restore(repairText(chain, found, due));
    this.#tell(chain, due);
    this.#stood.add(chain.name);
    // A restore may pass and leave something else than we wrote when another program writes at the same time.
    const again = compare(chain, await this.look(iptables, chain));
    if (this.#judge(chain, again).length === 0) return;
    throw new AppError('iptables-failed', `${chain.name} was changed again while it was being restored`);
  }

  /** What is to be mended now. */
  #judge(chain: OwnChain, differences: readonly Difference[]): readonly Difference[] {
    const due = this.#rivalry.due(chain.name, differences);
    this.#standing.set(chain.name, due.length === 0 ? 'present' : 'absent');
    if (due.length === 0) this.#stood.add(chain.name);
    return due;
  }

  #tell(chain: OwnChain, due: readonly Difference[]): void {
    const { log, onRepair } = this.#options;
    const stages = due.map((difference) => this.#moved(chain, difference));
    const fields = { chain: chain.name, table: chain.table, differences: due.map(shortened) };
    if (!this.#stood.has(chain.name)) {
      log.info(fields, 'iptables rules installed');
      return;
    }
    for (const { kind } of due) onRepair(chain.name, kind);
    // One more move in a quarrel is no news.
    log[stages.includes('first') ? 'warn' : 'info'](fields, 'iptables rules repaired');
  }

  /** `first` also for what is no quarrel. */
  #moved({ name }: OwnChain, difference: Difference): Stage {
    if (difference.kind !== 'jump-behind') return 'first';
    const stage = this.#rivalry.moved(name, difference);
    const { hook, rivals } = shortened(difference);
    if (stage === 'again')
      this.#options.log.warn(
        { chain: name, hook, rivals },
        'another program puts its rules in front again; ours goes back ever more rarely',
      );
    return stage;
  }
}

/** As much of what was found as a log should hold: a rival's rules can be thousands. */
function shortened<D extends Difference>(difference: D): D {
  return {
    ...difference,
    ...('found' in difference && { found: difference.found.slice(0, mostLines) }),
    ...('rivals' in difference && { rivals: difference.rivals.slice(0, mostLines) }),
  };
}
