import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The limits of a container, as the kubelet sets them. */
export interface Limits {
  /** Thousandths of a core. */
  readonly cpuMilli: number;
  readonly memoryBytes: number;
}

export interface Cgroup {
  /** Puts a process into the group; what it starts from then on is in it, too. */
  add(pid: string): void;
  /** How often the group was made to wait for its next share of the CPU. */
  throttled(): number;
  /** The most that was in use at once, bytes. */
  peak(): number;
  /** Once all of its processes have ended. */
  remove(): void;
}

const root = '/sys/fs/cgroup';
const isV2 = existsSync(join(root, 'cgroup.controllers'));
const periodUs = 100_000;

/** Why no group can be made here; undefined where one can. */
export function withoutCgroups(): string | undefined {
  if (process.getuid?.() !== 0) return 'cgroups need root';
  if (!isV2) return existsSync(join(root, 'cpu/cpu.cfs_quota_us')) ? undefined : 'there is no cgroup of cpu';
  const controllers = readFileSync(join(root, 'cgroup.subtree_control'), 'utf8');
  return /\bcpu\b.*\bmemory\b/.test(controllers) ? undefined : 'the root cgroup has not cpu and memory on';
}

/** An empty one of that name, left by a run that was ended, is made anew. */
export function cgroup(name: string, { cpuMilli, memoryBytes }: Limits): Cgroup {
  const [cpu, memory] = isV2
    ? [join(root, name), join(root, name)]
    : [join(root, 'cpu', name), join(root, 'memory', name)];
  const folders = [...new Set([cpu, memory])];
  for (const folder of folders) {
    if (existsSync(folder)) rmdirSync(folder);
    mkdirSync(folder);
  }
  const quota = (cpuMilli * periodUs) / 1_000;
  writeFileSync(join(cpu, isV2 ? 'cpu.max' : 'cpu.cfs_quota_us'), isV2 ? `${quota} ${periodUs}` : `${quota}`);
  writeFileSync(join(memory, isV2 ? 'memory.max' : 'memory.limit_in_bytes'), `${memoryBytes}`);
  const read = (folder: string, file: string): string => readFileSync(join(folder, file), 'utf8');
  return {
    add: (pid) => {
      for (const folder of folders) writeFileSync(join(folder, 'cgroup.procs'), pid);
    },
    throttled: () => Number(/^nr_throttled (\d+)$/m.exec(read(cpu, 'cpu.stat'))?.[1]),
    peak: () => Number(read(memory, isV2 ? 'memory.peak' : 'memory.max_usage_in_bytes')),
    remove: () => {
      for (const folder of folders) rmdirSync(folder);
    },
  };
}
