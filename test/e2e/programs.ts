import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../lab/eventually.ts';
import { type LabProcess, ready } from '../lab/processes.ts';

const lab = join(import.meta.dirname, '../lab');

/** The simulators, and what they listen on behind the nodes. */
export const programs = {
  imds: { file: join(lab, 'imds/main.ts'), port: 80 },
  arm: { file: join(lab, 'arm/main.ts'), port: 8443 },
  gate: { file: join(import.meta.dirname, 'gate/main.ts'), port: 8446 },
} as const;

/** The address that every node routes to where they run. */
export const fabric = '169.254.169.254';

export type ProgramName = keyof typeof programs;

/** Starts a simulator by `onFabric`; resolves when it listens. It does not hear this process' Ctrl-C: its `stop` ends it in order. */
export async function startProgram(
  name: ProgramName,
  { onFabric, dir }: { readonly onFabric: string; readonly dir: string },
  ...more: readonly string[]
): Promise<LabProcess> {
  const { file, port } = programs[name];
  const log = join(dir, `${name}.log`);
  const out = openSync(log, 'a', 0o600);
  const args = [process.execPath, file, '--listen', `${fabric}:${port}`, '--dir', dir, ...more];
  const child = spawn(onFabric, args, { detached: true, stdio: ['ignore', out, out] });
  const failure: { message?: string } = {};
  child.on('error', ({ message }) => {
    failure.message = message;
  });
  closeSync(out);
  const ended = (): number | NodeJS.Signals | undefined =>
    failure.message === undefined ? (child.exitCode ?? child.signalCode ?? undefined) : -1;
  const program: LabProcess = {
    pid: child.pid ?? -1,
    ended,
    output: () => `${failure.message ?? ''}${readFileSync(log, 'utf8')}`,
    async stop(signal = 'SIGTERM') {
      if (ended() === undefined) child.kill(signal);
      return eventually(`${name} ends`, () => ended() !== undefined).then(() => ended() as number);
    },
  };
  try {
    await ready(`the simulator ${name}`, program);
    return program;
  } catch (error) {
    await program.stop('SIGKILL');
    throw error;
  }
}
