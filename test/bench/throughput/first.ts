import { join } from 'node:path';
import type { ExecResult } from '../../../lib/platform/exec.ts';

export interface FirstOrder {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Where it asks from; wherever the kernel says when there are none. */
  readonly addresses: readonly string[];
  /** How often a new try is made; only one unless said. */
  readonly everyMs?: number;
}

const program = join(import.meta.dirname, 'first-program.ts');
const timeoutMs = 60_000;

type Exec = (command: readonly string[], options: { readonly timeoutMs: number }) => Promise<ExecResult>;

/** When each address was answered 200 first, ms since the epoch. Rejects when one is not within a minute. */
export async function firstAnswers(exec: Exec, order: FirstOrder): Promise<readonly number[]> {
  const command = [process.execPath, program, JSON.stringify(order)];
  const { code, stdout, stderr } = await exec(command, { timeoutMs });
  if (code !== 0) throw new Error(`the first answers: ${stderr}`);
  return JSON.parse(stdout) as number[];
}
