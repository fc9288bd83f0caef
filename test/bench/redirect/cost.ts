import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Exec } from '../../../lib/platform/exec.ts';
import type { GuardChoice } from '../../../lib/redirect/upkeep.ts';
import { execIn } from '../../lab/lab.ts';
import { inside } from '../../lab/namespaces.ts';
import { nodeOf } from '../../lab/network.ts';
import { damage, damages } from '../../netns/damage.ts';
import { type Place, setForeign } from './place.ts';
import type { Cost } from './upkeep-program.ts';

/** What looks cost, ms a look on average, children counted. */
export interface Costs {
  readonly cpuMs: number;
  readonly ownMs: number;
  readonly wallMs: number;
}

export interface UpkeepCosts {
  readonly check: Costs;
  /** By the name of the damage. */
  readonly repairs: Readonly<Record<string, Costs>>;
}

/** Enough that the kernel's 10 ms are a small part of the sum. */
const checks = 60;
const repairs = 10;
/** Until the program has been compiled and knows the tables that it must ask chain by chain. */
const warmUp = 10;
/** One of each kind that leaves the rules of others alone. */
const repaired = ['chain flushed', 'jump deleted', 'guard removed'];

/** Measures the upkeep alone; whatever happens, its program is gone afterwards. What it put in stays. */
export async function measureUpkeep(place: Place, guard: GuardChoice): Promise<UpkeepCosts> {
  const program = join(import.meta.dirname, 'upkeep-program.ts');
  const command = [...inside(nodeOf(place.lab.id)), process.execPath, program, place.backend, guard];
  const child = spawn('nsenter', command, { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const mend = mender(child);
    for (let i = 0; i < warmUp; i++) await mend();
    const check = await average(checks, mend, async () => undefined);
    const found: [string, Costs][] = [];
    for (const one of damages.filter(({ name }) => repaired.includes(name))) {
      await setForeign(place);
      const hurt = (): Promise<void> => damage(onNode(place), one, place.backend);
      found.push([one.name, await average(repairs, mend, hurt)]);
    }
    return { check, repairs: Object.fromEntries(found) };
  } finally {
    child.kill('SIGKILL');
  }
}

export function onNode({ lab }: Place): Exec {
  return (file, args, options) => execIn(nodeOf(lab.id), [file, ...args], options);
}

function mender(child: ChildProcessByStdio<Writable, Readable, null>): () => Promise<Cost> {
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('the upkeep program ended')));
  ended.catch(() => undefined);
  return async () => {
    const answered = once(lines, 'line');
    child.stdin.write('mend\n');
    const [line] = await Promise.race([answered, ended]);
    return JSON.parse(String(line)) as Cost;
  };
}

async function average(times: number, mend: () => Promise<Cost>, first: () => Promise<void>): Promise<Costs> {
  const { childrenMs: before } = await mend();
  const costs: Cost[] = [];
  for (let i = 0; i < times; i++) {
    await first();
    costs.push(await mend());
  }
  const mean = (of: (cost: Cost) => number): number => costs.reduce((sum, cost) => sum + of(cost), 0) / times;
  const ownMs = mean(({ ownMs }) => ownMs);
  const childrenMs = ((costs.at(-1)?.childrenMs ?? 0) - before) / times;
  return { ownMs, cpuMs: ownMs + childrenMs, wallMs: mean(({ wallMs }) => wallMs) };
}
