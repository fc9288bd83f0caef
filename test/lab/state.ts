import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kill, removeNamespace } from './namespaces.ts';
import { namespacesOf } from './network.ts';

export const labsFolder = '/run/pod-identity-lab';

/** What of a lab can be read from outside of the process that made it. */
export interface LabState {
  readonly id: string;
  /** Whose end is the lab's end; null for a lab that stays until it is taken down. */
  readonly owner: Owner | null;
  readonly pods: readonly PodState[];
  readonly processes: readonly ProcessState[];
}

export interface PodState {
  readonly name: string;
  readonly namespace: string;
  readonly ip: string;
  readonly hostNetwork: boolean;
}

export interface ProcessState {
  readonly name: string;
  readonly pid: number;
  readonly startTime: string;
  readonly log: string;
}

interface Owner {
  readonly pid: number;
  /** Tells a process from a later one with the same pid. */
  readonly startTime: string;
}

/** Throws for an id that is none: the folder is removed as root, and nothing else may be. */
export function folderOf(id: string): string {
  if (!/^[a-z0-9]{1,24}$/.test(id)) throw new Error(`a lab's id is of a-z and 0-9, not "${id}"`);
  return join(labsFolder, id);
}

/** Reserves the id for this process. Throws when a lab has it. The state is there as soon as the folder is. */
export function reserve(id: string): LabState {
  const owner: Owner = { pid: process.pid, startTime: startTime(process.pid) ?? '' };
  const state: LabState = { id, owner, pods: [], processes: [] };
  const draft = join(labsFolder, `.draft-${owner.pid}-${owner.startTime}`);
  mkdirSync(draft, { recursive: true, mode: 0o700 });
  writeFileSync(join(draft, 'state.json'), JSON.stringify(state));
  try {
    renameSync(draft, folderOf(id));
  } catch (error) {
    rmSync(draft, { recursive: true });
    throw new Error(`the lab ${id} is there already`, { cause: error });
  }
  return state;
}

export function readState(id: string): LabState | undefined {
  const file = join(folderOf(id), 'state.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as LabState) : undefined;
}

export function writeState(state: LabState): void {
  const file = join(folderOf(state.id), 'state.json');
  writeFileSync(`${file}.new`, JSON.stringify(state));
  renameSync(`${file}.new`, file);
}

/**
 * Ends the lab's processes and removes its namespaces and its folder, in that order. Does nothing when there is none. A process
 * that was only just started may not stand in its namespace yet, so those on record are ended first.
 */
export function removeLab(id: string): void {
  for (const { pid, startTime: started } of readState(id)?.processes ?? []) {
    if (startTime(pid) === started) kill(pid);
  }
  for (const namespace of namespacesOf(id)) removeNamespace(namespace);
  rmSync(folderOf(id), { recursive: true, force: true });
}

/** Removes labs whose owner ended without doing so, as after SIGKILL. Gives their ids. */
export function sweep(): string[] {
  if (!existsSync(labsFolder)) return [];
  const orphans = readdirSync(labsFolder).filter((name) => {
    const owner = ownerOf(name);
    return owner !== null && owner !== undefined && startTime(owner.pid) !== owner.startTime;
  });
  for (const name of orphans) {
    if (name.startsWith('.draft-')) rmSync(join(labsFolder, name), { recursive: true, force: true });
    else removeLab(name);
  }
  return orphans;
}

function ownerOf(name: string): Owner | null | undefined {
  const draft = /^\.draft-(\d+)-(\d+)$/.exec(name);
  return draft ? { pid: Number(draft[1]), startTime: draft[2] ?? '' } : readState(name)?.owner;
}

/** Field 22 of /proc/PID/stat, clock ticks since boot; undefined when no such process runs, also when it only waits to be reaped. */
export function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' ? undefined : fields[18];
  } catch {
    return undefined;
  }
}
