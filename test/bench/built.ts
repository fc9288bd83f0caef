import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemExec } from '../../lib/platform/exec.ts';

const build = join(import.meta.dirname, '../../scripts/build');
const timeoutMs = 120_000;

export interface Built {
  /** The launcher of the agent. */
  readonly program: string;
  readonly version: string;
  /** Ends with `remove`. */
  readonly folder: string;
  readonly remove: () => void;
}

/** Bundles the agent of this checkout into a folder of its own, its compile cache filled as in the image. */
export async function builtAgent(): Promise<Built> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const program = join(folder, 'bin/nmi');
  try {
    await succeed(build, [folder]);
    const version = await succeed(program, ['--version']);
    return { program, folder, remove, version: version.trim() };
  } catch (error) {
    remove();
    throw error;
  }
}

async function succeed(command: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await systemExec(command, [...args], { timeoutMs });
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${stderr}`);
  return stdout;
}
