import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { eventually } from '../../lab/eventually.ts';
import { type Crowd, countsOf } from './crowd.ts';

/** A whole MIC with a cluster in which all is done. MB of 1,024 kB. */
export interface WholeFigures extends Crowd {
  readonly assigned: number;
  /** From its start until it knows the cluster and has planned. */
  readonly readySeconds: number;
  /** Resident at most, the lists included and the pods listed twice; and when all is quiet. */
  readonly peakMb: number;
  readonly quietMb: number;
}

const withinMs = 300_000;
const ports = { probe: 18_085, metrics: 18_889 } as const;
const metrics = `http://127.0.0.1:${ports.metrics}/metrics`;

/** Starts `program`, a launcher like bin/mic, beside a server that makes the cluster up. */
export async function measureWhole(program: string, crowd: Crowd): Promise<WholeFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'mic-whole-'));
  const maker = join(import.meta.dirname, 'maker.ts');
  const args = [maker, join(folder, 'kubeconfig'), `${crowd.pods}`, `${crowd.identities}`];
  const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let mic: ChildProcess | undefined;
  try {
    await once(createInterface(server.stdout), 'line');
    writeFileSync(join(folder, 'azure.json'), JSON.stringify(azureJson));
    const began = performance.now();
    mic = spawn(program, flagsOf(folder), {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { PATH: process.env.PATH, MIC_POD_NAMESPACE: 'default' },
    });
    const pid = mic.pid ?? 0;
    const isAlive = (): void => {
      if (mic?.exitCode !== null) throw new Error(`MIC ended with ${mic?.exitCode}`);
    };
    await Promise.race([
      once(mic, 'exit').then(isAlive),
      eventually('MIC has planned twice', () => plans(2), { withinMs, everyMs: 250 }),
    ]);
    const readySeconds = (performance.now() - began) / 1000;
    const quietMb = await quiet(pid);
    const { azureassignedidentities: assigned } = countsOf(crowd);
    return { ...crowd, assigned, readySeconds, peakMb: memory(pid, 'VmHWM'), quietMb };
  } finally {
    mic?.kill('SIGKILL');
    server.kill();
    rmSync(folder, { recursive: true });
  }
}

/** The pods are listed, once more, and planned with. */
async function plans(count: number): Promise<boolean> {
  const page = await (await fetch(metrics)).text();
  const made = Number(/^aadpodidentity_mic_cycle_duration_seconds_count (\d+)/m.exec(page)?.[1]);
  if (/^podidentity_assignment_problems\{.*\} [1-9]/m.test(page)) throw new Error(`problems:\n${page}`);
  return made >= count;
}

/** Resident, when it has not changed by a MB within two seconds. */
async function quiet(pid: number): Promise<number> {
  let last = 0;
  await eventually(
    'its memory stands still',
    () => {
      const now = memory(pid, 'VmRSS');
      const stands = Math.abs(now - last) < 1;
      last = now;
      return stands;
    },
    { withinMs, everyMs: 2_000 },
  );
  return last;
}

function memory(pid: number, field: 'VmHWM' | 'VmRSS'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
}

const azureJson = {
  ...{ cloud: 'AzurePublicCloud', subscriptionId: '5ab00000-0000-4000-8000-000000000000' },
  ...{ resourceGroup: 'group', useManagedIdentityExtension: true },
};

/** All is assigned, and repairs are far off: nobody is to be asked. */
function flagsOf(folder: string): string[] {
  const flags = {
    kubeconfig: join(folder, 'kubeconfig'),
    cloudconfig: join(folder, 'azure.json'),
    'identity-assignment-reconcile-interval': '24h',
    'http-probe-port': ports.probe,
    'prometheus-port': ports.metrics,
    'log-format': 'json',
  };
  return Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
}
