import { AppError } from '../model/errors.ts';
import type { Logger } from '../platform/log.ts';
import { compare, type Difference, repairText } from './compare.ts';
import type { Iptables } from './iptables.ts';
import { observe } from './observe.ts';
import type { OwnChain } from './rules.ts';

/** The last answer of the kernel about one chain and its jumps. */
export type Standing = 'present' | 'absent' | 'unknown';

/**
 * Keeps chains standing: observe, compare, restore, and observe again. What it remembers is for telling only; what it
 * does follows from what the kernel shows.
 */
export class Keeper {
  readonly #log: Logger;
  readonly #onRepair: (chain: string) => void;
  readonly #standing = new Map<string, Standing>();
  /** Chains that once stood: putting those back is a repair, the first time is not. */
  readonly #stood = new Set<string>();

  constructor(options: { readonly log: Logger; readonly onRepair: (chain: string) => void }) {
    this.#log = options.log;
    this.#onRepair = options.onRepair;
  }

  /** `unknown` until the chain was looked at. */
  standing(chain: string): Standing {
    return this.#standing.get(chain) ?? 'unknown';
  }

  /** Forgets everything that was told, after the chains were removed on purpose. */
  forget(): void {
    this.#standing.clear();
    this.#stood.clear();
  }

  /**
   * Makes the chain stand. Throws AppError `iptables-failed` when that could not be told or done; nothing was changed then.
   */
  async mend(iptables: Iptables, chain: OwnChain): Promise<void> {
    if (await this.#check(iptables, chain)) return;
    // A restore may pass and leave something else than we wrote when another program writes at the same time.
    if (await this.#check(iptables, chain, { mayRestore: false })) return;
    throw new AppError('iptables-failed', `${chain.name} was changed again while it was being restored`);
  }

  async #check(iptables: Iptables, chain: OwnChain, { mayRestore } = { mayRestore: true }): Promise<boolean> {
    const observed = await observe(iptables, chain);
    if (observed.kind === 'unknown') {
      this.#standing.set(chain.name, 'unknown');
      throw new AppError('iptables-failed', observed.why);
    }
    const differences = compare(chain, observed.seen);
    this.#standing.set(chain.name, differences.length === 0 ? 'present' : 'absent');
    if (differences.length === 0) {
      this.#stood.add(chain.name);
      return true;
    }
    if (mayRestore) {
      await iptables.restore(repairText(chain, observed.seen));
      this.#tell(chain, differences);
    }
    return false;
  }

  #tell(chain: OwnChain, differences: readonly Difference[]): void {
    const fields = { chain: chain.name, table: chain.table, differences };
    if (this.#stood.has(chain.name)) {
      this.#log.warn(fields, 'iptables rules repaired');
      this.#onRepair(chain.name);
    } else {
      this.#log.info(fields, 'iptables rules installed');
    }
  }
}
