import { AppError, isAppError, messageOf } from '../model/errors.ts';
import type { Exec } from '../platform/exec.ts';
import { askableTables, isInstalled, type ReadFile } from './backend.ts';
import { type ChainSeen, jumpsTo, removeText, unhookText } from './compare.ts';
import { type BackendName, createIptables, type Iptables } from './iptables.ts';
import { type Observation, observe } from './observe.ts';
import { type ChainPlace, guardPlace, redirectPlace } from './rules.ts';

/** The doors that withdrawing needs. */
export interface WithdrawDoors {
  readonly exec: Exec;
  readonly readFile: ReadFile;
}

/**
 * Takes ours out of one backend: jump, chain, guard; any number of times. Returns what was removed as
 * `BACKEND TABLE: LINE`, empty when there was nothing or the backend is not installed. When something may be left, after
 * trying the rest, throws AppError `iptables-failed`, or `iptables-unusable` when trying again will not help.
 */
export function withdraw(doors: WithdrawDoors, backend: BackendName): Promise<readonly string[]> {
  return removeEach(doors, backend, [redirectPlace, guardPlace], ({ place, seen }) =>
    seen.lines || seen.jumps.length > 0
      ? { text: removeText(place, seen), removed: [...seen.jumps, ...(seen.lines ?? [])] }
      : undefined,
  );
}

/** The first step of it alone: no new connection is redirected, those that were keep their translation. */
export function unhook(doors: WithdrawDoors, backend: BackendName): Promise<readonly string[]> {
  return removeEach(doors, backend, [redirectPlace], ({ place, seen }) =>
    seen.jumps.length > 0 ? { text: unhookText(place, seen), removed: seen.jumps } : undefined,
  );
}

interface Removal {
  readonly text: string;
  /** The lines that it removes. */
  readonly removed: readonly string[];
}
type PlanRemoval = (standing: { place: ChainPlace; seen: ChainSeen }) => Removal | undefined;

async function removeEach(
  { exec, readFile }: WithdrawDoors,
  backend: BackendName,
  places: readonly ChainPlace[],
  plan: PlanRemoval,
): Promise<readonly string[]> {
  if (!(await isInstalled(exec, backend))) return [];
  const iptables = createIptables(exec, backend);
  const tables = await askableTables(backend, readFile);
  const removed: string[] = [];
  const failed: unknown[] = [];
  for (const place of places.filter(({ table }) => tables.has(table))) {
    await remove(iptables, place, plan).then(
      (lines) => removed.push(...lines.map((line) => `${backend} ${place.table}: ${line}`)),
      (error: unknown) => failed.push(error),
    );
  }
  if (failed.length === 0) return removed;
  const code = failed.every((error) => isAppError(error, 'iptables-unusable'))
    ? 'iptables-unusable'
    : 'iptables-failed';
  throw new AppError(code, `${backend}: ${failed.map(messageOf).join('; ')}`);
}

async function remove(iptables: Iptables, place: ChainPlace, plan: PlanRemoval): Promise<readonly string[]> {
  const observed = await observeAll(iptables, place);
  if (observed.kind === 'unknown') {
    throw new AppError(observed.passing ? 'iptables-failed' : 'iptables-unusable', observed.why);
  }
  const removal = plan({ place, seen: observed.seen });
  if (!removal) return [];
  await iptables.restore(removal.text);
  return removal.removed;
}

/** The whole table: a jump that somebody put elsewhere would hold the chain. Failing that, the places that we use. */
async function observeAll(iptables: Iptables, place: ChainPlace): Promise<Observation> {
  const { table, name } = place;
  const listed = await iptables.list(table);
  if (listed.kind === 'unknown') return listed;
  if (listed.kind !== 'lines') return observe(iptables, place);
  const lines = listed.lines.filter((line) => line === `-N ${name}` || line.startsWith(`-A ${name} `));
  return {
    kind: 'seen',
    seen: { lines: lines.length > 0 ? lines : undefined, jumps: jumpsTo(name, listed.lines) },
  };
}
