import { readFileSync } from 'node:fs';

/** The most that was ever resident of this process, MB of 1,024 kB. `getrusage` would count what its parent had at the fork. */
export function peakMb(): number {
  const [, kb] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kb) / 1024;
}
