import { dirname, join } from 'node:path';
import { systemExec } from '../../../lib/platform/exec.ts';
import { builtAgent } from '../built.ts';
import type { Crowd } from './crowd.ts';
import type { ScaleFigures } from './scale-program.ts';
import { type Size, sizes } from './size.ts';
import { measureWhole, type WholeFigures } from './whole.ts';

export interface WholePair {
  readonly tenth: WholeFigures;
  readonly full: WholeFigures;
}

export interface MicFigures {
  readonly tenth: ScaleFigures;
  readonly full: ScaleFigures;
  /** The process itself, with more pods: memory is promised for 100,000. */
  readonly whole: WholePair;
}

export interface MicBench {
  /** How often each plan is made. */
  readonly runs: number;
  readonly tell: (what: string) => void;
}

/** What a figure must not exceed. */
export const targets = {
  /**
   * The dearest plan, CPU. On a machine that does nothing else the wall time is no longer: a plan waits for nothing, and the
   * helpers of the garbage collector count as CPU. On any other it tells of the others.
   */
  planCpuMs: 1_000,
  /** Of one scale set, for a start with nothing assigned. A PATCH takes 150 identities. */
  getsOfOne: 1,
  idsPerPatch: 150,
  /** Of the whole process with 100,000 pods, MB. */
  wholeMb: 400,
} as const;

const crowds = {
  tenth: { pods: 10_000, identities: 200 },
  full: { pods: 100_000, identities: 2_000 },
} as const;

const program = join(import.meta.dirname, 'scale-program.ts');
const timeoutMs = 300_000;

/** Both sizes, one after the other. */
export async function benchMic({ runs, tell }: MicBench): Promise<MicFigures> {
  const measure = async (size: Size): Promise<ScaleFigures> => {
    tell(`${size.pods} pods on ${size.nodes} nodes`);
    // As the programs in bin have it: V8 otherwise lets 100 MB of garbage lie.
    const args = ['--max-semi-space-size=2', program, JSON.stringify(size), String(runs)];
    const { code, stdout, stderr } = await systemExec(process.execPath, args, { timeoutMs });
    if (code !== 0) throw new Error(`MIC's measurement: ${stderr}`);
    return JSON.parse(stdout) as ScaleFigures;
  };
  const [tenth, full] = [await measure(sizes.tenth), await measure(sizes.full)];
  return { tenth, full, whole: await wholes(tell) };
}

async function wholes(tell: MicBench['tell']): Promise<WholePair> {
  const built = await builtAgent();
  const program = join(dirname(built.program), 'mic');
  const measure = async (crowd: Crowd): Promise<WholeFigures> => {
    tell(`the whole MIC with ${crowd.pods} pods`);
    return measureWhole(program, crowd);
  };
  try {
    return { tenth: await measure(crowds.tenth), full: await measure(crowds.full) };
  } finally {
    built.remove();
  }
}
