import { AppError, isAppError, messageOf } from '../model/errors.ts';
import type { Logger } from '../platform/log.ts';
import { askableTables, isInstalled } from './backend.ts';
import { type BackendName, createIptables } from './iptables.ts';
import { type ChainPlace, guardPlace, redirectPlace, type Table } from './rules.ts';
import { type Spare, type WithdrawDoors, withdraw } from './withdraw.ts';

/** Takes something of ours out of one backend, and tells what. */
export type Removing = (
  doors: WithdrawDoors,
  backend: BackendName,
  spare?: Spare,
) => Promise<readonly string[]>;

/** What the backend that was not chosen holds of ours. */
export interface Copy {
  readonly redirect: readonly string[] | undefined;
  readonly guard: readonly string[] | undefined;
}

/** What is done to both backends, or to the one that was not chosen. */
export class BothBackends {
  readonly #doors: WithdrawDoors;
  readonly #log: Logger;
  /** Backends that this kernel or container cannot use at all; told once each. */
  readonly #useless = new Set<BackendName>();
  #installed: boolean | undefined;

  constructor(doors: WithdrawDoors, log: Logger) {
    this.#doors = doors;
    this.#log = log;
  }

  /** Removes it from both. `chosen`: that one must be searched; without it, none is excused. Never throws. */
  async remove(
    step: Removing,
    chosen: BackendName | undefined,
    spare?: Spare,
  ): Promise<{ readonly removed: readonly string[]; readonly failed: string[] }> {
    const removed: string[] = [];
    const failed: string[] = [];
    for (const backend of ['nft', 'legacy'] as const) {
      const search = (): Promise<readonly string[]> => step(this.#doors, backend, spare);
      const excused = chosen !== undefined && chosen !== backend;
      await (excused ? this.#excused(backend, search, []) : search()).then(
        (lines) => removed.push(...lines),
        (error: unknown) => failed.push(messageOf(error)),
      );
    }
    return { removed, failed };
  }

  /**
   * What the other backend holds: of two copies, the one that was registered last wins. One call for each table that can be
   * asked: none where there are no legacy tables. Throws AppError `iptables-failed` when it could not be told this time.
   */
  async lookAtOther(chosen: BackendName): Promise<Copy> {
    const other = otherThan(chosen);
    const nothing = { redirect: undefined, guard: undefined };
    return this.#useless.has(other) ? nothing : this.#excused(other, () => this.#look(other), nothing);
  }

  /** Removes the copy in the other backend, unless `spare` names it. Returns what was removed. Throws as `withdraw` does. */
  async cleanOther(chosen: BackendName, spare?: Spare): Promise<readonly string[]> {
    return withdraw(this.#doors, otherThan(chosen), spare);
  }

  async #look(backend: BackendName): Promise<Copy> {
    const { exec, readFile } = this.#doors;
    this.#installed ??= await isInstalled(exec, backend);
    const tables = this.#installed ? await askableTables(backend, readFile) : new Set<Table>();
    const iptables = createIptables(exec, backend);
    const linesOf = async ({ table, name }: ChainPlace): Promise<readonly string[] | undefined> => {
      if (!tables.has(table)) return undefined;
      const listed = await iptables.list(table, name);
      if (listed.kind === 'unknown')
        throw new AppError(
          listed.passing ? 'iptables-failed' : 'iptables-unusable',
          `${backend}: ${listed.why}`,
        );
      return listed.kind === 'lines' ? listed.lines : undefined;
    };
    return { redirect: await linesOf(redirectPlace), guard: await linesOf(guardPlace) };
  }

  /** A backend that is of no use anyway holds up neither the start nor the end. */
  async #excused<T>(backend: BackendName, search: () => Promise<T>, nothing: T): Promise<T> {
    try {
      return await search();
    } catch (error) {
      if (!isAppError(error, 'iptables-unusable')) throw error;
      if (!this.#useless.has(backend))
        this.#log.warn(
          { backend, why: messageOf(error) },
          'the other iptables backend could not be searched',
        );
      this.#useless.add(backend);
      return nothing;
    }
  }
}

function otherThan(backend: BackendName): BackendName {
  return backend === 'nft' ? 'legacy' : 'nft';
}
