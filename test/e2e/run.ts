import { systemExec } from '../../lib/platform/exec.ts';

export interface RunOptions {
  /** 60,000 unless said. */
  readonly timeoutMs?: number;
  readonly stdin?: string;
}

/** Runs a program and gives what it wrote to stdout. Rejects with its last words when it fails. */
export async function run(
  command: readonly [string, ...string[]],
  options: RunOptions = {},
): Promise<string> {
  const [file, ...args] = command;
  const { code, stdout, stderr } = await systemExec(file, args, { timeoutMs: 60_000, ...options });
  if (code === 0) return stdout;
  const said = `${stderr.trim() || stdout.trim()}`.split('\n').slice(-8).join('\n');
  throw new Error(`${shortened(command.join(' '))}: exit status ${code}: ${said}`);
}

function shortened(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
