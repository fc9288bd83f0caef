import { AppError, messageOf } from '../model/errors.ts';
import type { Exec } from '../platform/exec.ts';
import { askableTables, isInstalled, type ReadFile } from './backend.ts';
import { type ChainSeen, removeText, unhookText } from './compare.ts';
import { type BackendName, createIptables, type Iptables } from './iptables.ts';
import { observeAll } from './observe.ts';
import { type ChainPlace, guardPlace, redirectPlace } from './rules.ts';

/** The doors that withdrawing needs. */
export interface WithdrawDoors {
  readonly exec: Exec;
  readonly readFile: ReadFile;
}

/** Whether what stands is to be left alone, from the lines of a chain of ours. */
export type Spare = (lines: readonly string[]) => Promise<boolean>;

/**
 * Takes ours out of one backend: jump, chain, guard; any number of times. Leaves all of it as soon as it meets a chain that
 * `spare` names, also one that came in between. Returns what was removed as `BACKEND TABLE: LINE`, empty when there was nothing
 * or the backend is not installed. Throws AppError `iptables-failed` when something may be left, `iptables-unusable` when
 * trying again will not help; the guard is never taken out behind a chain that stayed.
 */
export function withdraw(
  doors: WithdrawDoors,
  backend: BackendName,
  spare?: Spare,
): Promise<readonly string[]> {
  return removeEach(doors, backend, { places: [redirectPlace, guardPlace], plan: whole, spare });
}

/** The first step of it alone: no new connection is redirected, those that were keep their translation. */
export function unhook(
  doors: WithdrawDoors,
  backend: BackendName,
  spare?: Spare,
): Promise<readonly string[]> {
  const plan: PlanRemoval = (place, seen) =>
    seen.jumps.length > 0 ? { text: unhookText(place, seen), removed: seen.jumps } : undefined;
  return removeEach(doors, backend, { places: [redirectPlace], plan, spare });
}

/** The guard alone, where none is wanted. */
export function lowerGuard(doors: WithdrawDoors, backend: BackendName): Promise<readonly string[]> {
  return removeEach(doors, backend, { places: [guardPlace], plan: whole, spare: undefined });
}

const whole: PlanRemoval = (place, seen) =>
  seen.lines || seen.jumps.length > 0
    ? { text: removeText(place, seen), removed: [...seen.jumps, ...(seen.lines ?? [])] }
    : undefined;

interface Removal {
  readonly text: string;
  /** The lines that it removes. */
  readonly removed: readonly string[];
}
type PlanRemoval = (place: ChainPlace, seen: ChainSeen) => Removal | undefined;

interface Removing {
  /** In this order; what follows one that could not be removed stays. */
  readonly places: readonly ChainPlace[];
  readonly plan: PlanRemoval;
  readonly spare: Spare | undefined;
}

async function removeEach(
  { exec, readFile }: WithdrawDoors,
  backend: BackendName,
  removing: Removing,
): Promise<readonly string[]> {
  if (!(await isInstalled(exec, backend))) return [];
  const iptables = createIptables(exec, backend);
  const tables = await askableTables(backend, readFile);
  const removed: string[] = [];
  for (const place of removing.places.filter(({ table }) => tables.has(table))) {
    const lines = await remove(iptables, place, removing);
    if (lines === 'spared') break;
    removed.push(...lines.map((line) => `${backend} ${place.table}: ${line}`));
  }
  return removed;
}

async function remove(
  iptables: Iptables,
  place: ChainPlace,
  { plan, spare }: Removing,
): Promise<readonly string[] | 'spared'> {
  for (let again = true; ; again = false) {
    const seen = await observeAll(iptables, place);
    if ('kind' in seen) throw failure(iptables, seen.why, seen.passing);
    if (seen.lines && (await spare?.(seen.lines))) return 'spared';
    const removal = plan(place, seen);
    if (!removal) return [];
    try {
      await iptables.restore(removal.text);
      return removal.removed;
    } catch (error) {
      // Somebody may have changed it since the look, so one more look.
      if (!again) throw failure(iptables, messageOf(error), true);
    }
  }
}

function failure({ backend }: Iptables, why: string, passing: boolean): AppError {
  return new AppError(passing ? 'iptables-failed' : 'iptables-unusable', `${backend}: ${why}`);
}
