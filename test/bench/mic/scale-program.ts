/**
 * A cluster of one size, from nothing assigned to all and a pod more; writes what it took as a line of JSON. In a process of its
 * own, so that memory is that of this size alone and its first plan is made by code that has never run.
 *
 *   node --max-semi-space-size=2 test/bench/mic/scale-program.ts SIZE RUNS
 */
import { peakMb } from './peak.ts';
import { addPod, type Scene, setScene } from './scene.ts';
import type { Size } from './size.ts';
import { finish, type Work } from './work.ts';

/** Of the snapshot and the plan, ms. */
export interface PlanCost {
  readonly cpuMs: number;
  readonly wallMs: number;
}

export interface ScaleFigures {
  readonly size: Size;
  /** Each plan in turn: nothing assigned, all assigned, and a pod more than that. */
  readonly plans: Readonly<Record<'cold' | 'steady' | 'onePod', readonly PlanCost[]>>;
  /** What a start with nothing assigned takes until all is, and then the one pod. */
  readonly coldStart: Work;
  readonly onePod: Work;
  /** MB resident at most: with the cluster and nothing else, and until all is done. The fakes count. */
  readonly sceneMb: number;
  readonly peakMb: number;
}

async function measure(size: Size, runs: number): Promise<ScaleFigures> {
  const scene = await setScene(size);
  const sceneMb = peakMb();
  const cold = planning(scene, runs);
  const coldStart = await finish(scene);
  const steady = planning(scene, runs);
  addPod(scene);
  const one = planning(scene, runs);
  const onePod = await finish(scene);
  check(scene, size);
  return { size, plans: { cold, steady, onePod: one }, coldStart, onePod, sceneMb, peakMb: peakMb() };
}

function planning({ world }: Scene, runs: number): PlanCost[] {
  return Array.from({ length: runs }, () => {
    const [before, began] = [process.cpuUsage(), performance.now()];
    world.plan();
    const wallMs = performance.now() - began;
    const { user, system } = process.cpuUsage(before);
    return { cpuMs: (user + system) / 1000, wallMs };
  });
}

/** Figures of what was not done would be worth nothing. */
function check({ world }: Scene, { pods }: Size): void {
  const count = [...world.objects.values()].filter(({ state }) => state === 'Assigned').length;
  if (count !== pods + 1) throw new Error(`${count} assignments of ${pods + 1} pods`);
}

const [size = '', runs = ''] = process.argv.slice(2);
console.log(JSON.stringify(await measure(JSON.parse(size) as Size, Number(runs))));
