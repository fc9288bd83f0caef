import { readdirSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** V8's format. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
      readonly columnNumber: number;
    };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** What was on the CPU, and for how much of the time that it was busy. */
export interface Cost {
  readonly what: string;
  readonly percent: number;
}

export interface Costs {
  /** Dearest first: by source file, and by function. */
  readonly files: readonly Cost[];
  readonly functions: readonly Cost[];
}

/** For a process started with this in NODE_OPTIONS; it writes when it ends. */
export const profileOptions = (folder: string): string => `--cpu-prof --cpu-prof-dir=${folder}`;

/** Reads the one profile of the folder; a bundle's places are told as those of its sources. Throws when there is none. */
export function costsIn(folder: string): Costs {
  const name = readdirSync(folder).find((file) => file.endsWith('.cpuprofile')) ?? 'no profile';
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as CpuProfile;
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const sourceOf = sources();
  const [files, functions] = [new Map<string, number>(), new Map<string, number>()];
  samples.forEach((id, at) => {
    const frame = frames.get(id);
    if (!frame || frame.functionName === '(idle)') return;
    const { file, name: symbol } = sourceOf(frame);
    const us = timeDeltas[at] ?? 0;
    files.set(file, (files.get(file) ?? 0) + us);
    functions.set(`${symbol}  ${file}`, (functions.get(`${symbol}  ${file}`) ?? 0) + us);
  });
  return { files: shares(files), functions: shares(functions) };
}

type Frame = CpuProfile['nodes'][number]['callFrame'];

/** Where a frame is from: the source behind a bundle. */
function sources(): (frame: Frame) => { readonly file: string; readonly name: string } {
  const maps = new Map<string, SourceMap | undefined>();
  return ({ url, functionName, lineNumber, columnNumber }) => {
    if (!url.startsWith('file:')) return { file: url || 'V8 and the kernel', name: functionName };
    if (!maps.has(url)) maps.set(url, mapOf(fileURLToPath(url)));
    const found = maps.get(url)?.findEntry(lineNumber, columnNumber);
    if (!found || !('originalSource' in found)) return { file: url, name: functionName };
    const file = found.originalSource.replace(/^.*\/(?=(lib|bin|node_modules)\/)/, '');
    // Node tells the source's own name, which its types do not know yet.
    const { name = functionName } = found as { readonly name?: string };
    return { file, name: `${name}:${found.originalLine + 1}` };
  };
}

function mapOf(path: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${path}.map`, 'utf8')));
  } catch {
    return undefined;
  }
}

function shares(times: ReadonlyMap<string, number>): Cost[] {
  const all = [...times.values()].reduce((sum, us) => sum + us, 0);
  return [...times]
    .map(([what, us]) => ({ what, percent: (us / all) * 100 }))
    .sort((a, b) => b.percent - a.percent);
}
