import { readFileSync } from 'node:fs';

/** Memory of a process in MB of 1,024 kB. */
export interface Resident {
  /** All of it, the pages of the node binary included. */
  readonly rssMb: number;
  /** Of that, what is of no file: heaps and stacks. */
  readonly anonymousMb: number;
}

/** Throws when there is no such process. */
export function residentOf(pid: number): Resident {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const mb = (field: string): number =>
    Number(new RegExp(`^${field}: +(\\d+) kB$`, 'm').exec(rollup)?.[1]) / 1024;
  return { rssMb: mb('Rss'), anonymousMb: mb('Anonymous') };
}
