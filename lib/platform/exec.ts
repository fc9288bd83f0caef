import { execFile } from 'node:child_process';
import { AppError } from '../model/errors.ts';

export interface ExecResult {
  /** Exit status; a program killed by a signal other than our timeout counts as 128. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program without a shell and waits for its end. A non-zero exit is a result, not an error.
 * Throws AppError `exec-missing` when there is no such program, `exec-timeout` when it was killed for taking too long.
 */
export type Exec = (
  file: string,
  args: readonly string[],
  options: { readonly timeoutMs: number; readonly stdin?: string },
) => Promise<ExecResult>;

/** 16 MB: `iptables-save` of 50,000 rules is about 6 MB. */
const maxOutput = 16 * 1024 * 1024;

export const systemExec: Exec = (file, args, { timeoutMs, stdin }) =>
  new Promise((resolve, reject) => {
    const options = {
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      maxBuffer: maxOutput,
      encoding: 'utf8',
    } as const;
    const child = execFile(file, args, options, (error, stdout, stderr) => {
      if (!error) return resolve({ code: 0, stdout, stderr });
      if (typeof error.code === 'number') return resolve({ code: error.code, stdout, stderr });
      if (error.code === 'ENOENT') {
        return reject(new AppError('exec-missing', `${file} is not installed`, { cause: error }));
      }
      if (error.killed) {
        return reject(
          new AppError('exec-timeout', `${file} took longer than ${timeoutMs} ms`, { cause: error }),
        );
      }
      resolve({ code: 128, stdout, stderr: stderr || error.message });
    });
    // A program may end without reading what we send; that shows in its exit status, not here.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(stdin ?? '');
  });
