import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { eventually } from './eventually.ts';

export interface ProcessOptions {
  /** The network namespace it runs in. */
  readonly namespace: string;
  readonly command: readonly [string, ...string[]];
  /** The whole environment beside PATH. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where stdout and stderr go. */
  readonly log: string;
}

export interface LabProcess {
  readonly pid: number;
  /** Its exit status or the signal that ended it; undefined while it runs. */
  ended(): number | NodeJS.Signals | undefined;
  /** What it has written so far. */
  output(): string;
  /** Sends the signal, SIGTERM unless said, and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals>;
}

/**
 * Starts a program that outlives this process (a lab may be left running) and does not hear its Ctrl-C (teardown ends it
 * in order instead). Throws when it cannot be started.
 */
export function startProcess({ namespace, command, env = {}, log }: ProcessOptions): LabProcess {
  const out = openSync(log, 'a', 0o600);
  // `ip netns exec`, since it shows the namespace's own /sys, too: the agent finds bridges there.
  const child = spawn('ip', ['netns', 'exec', namespace, ...command], {
    detached: true,
    stdio: ['ignore', out, out],
    env: { PATH: process.env.PATH, ...env },
  });
  closeSync(out);
  child.unref();
  if (child.pid === undefined) throw new Error(`ip cannot be started for ${command[0]}`);
  const ended = (): number | NodeJS.Signals | undefined => child.exitCode ?? child.signalCode ?? undefined;
  return {
    pid: child.pid,
    ended,
    output: () => readFileSync(log, 'utf8'),
    stop: (signal = 'SIGTERM') => stop(child, signal, ended),
  };
}

/** Until the program has written a line that begins with `ready`. Rejects with its output when it ends before. */
export async function ready(name: string, { ended, output }: LabProcess): Promise<void> {
  const outcome = await eventually(`${name} says it is ready`, () => {
    if (/^ready\b/m.test(output())) return 'ready';
    return ended() === undefined ? undefined : 'ended';
  });
  if (outcome === 'ended') throw new Error(`${name} ended (${ended()}) before it was ready:\n${output()}`);
}

async function stop(
  child: ChildProcess,
  signal: NodeJS.Signals,
  ended: LabProcess['ended'],
): Promise<number | NodeJS.Signals> {
  child.kill(signal);
  await eventually(`process ${child.pid} ends after ${signal}`, () => ended() !== undefined);
  return ended() as number | NodeJS.Signals;
}
