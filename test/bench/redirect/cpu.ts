import { readFileSync } from 'node:fs';

/** CPU time that a process has used so far, ms, to the kernel's 10 ms. */
export interface CpuTime {
  /** Its own, all threads. */
  readonly own: number;
  /** That of its children that have ended. */
  readonly children: number;
}

/** A tick of /proc, which is 1/100 s on every architecture that Node runs on. */
const tickMs = 10;

/** Throws when there is no such process. */
export function cpuOf(pid: number | 'self'): CpuTime {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Fields 14 to 17; the name in field 2 may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15).map(Number);
  return { own: (user + system) * tickMs, children: (childUser + childSystem) * tickMs };
}
