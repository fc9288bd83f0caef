import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { exit } from '../../lib/cli/exit.ts';
import { runPodid } from '../../lib/cli/podid.ts';
import type { Verb } from '../../lib/cli/verb.ts';
import type { Stream, World } from '../../lib/cli/world.ts';
import { Connection } from '../../lib/kube/connection.ts';
import { FakeClock } from '../fakes/clock.ts';
import { HastyClock } from '../kube/mic-rig.ts';
import { type KubeApi, startKubeApi } from '../lab/kube/server.ts';
import { allToPaste, commandsIn } from './pasting.ts';

/** What a call of podid left behind. */
export interface Called {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CallOptions {
  readonly terminal?: boolean;
  /** Of the terminal. */
  readonly columns?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly verbs?: readonly Verb[];
  readonly signal?: AbortSignal;
  /** Sees what goes to stdout as it goes. */
  readonly onOutput?: (text: string) => void;
  /** The same of stderr. */
  readonly onProgress?: (text: string) => void;
  /** Whose rights: `admin-token` unless given. */
  readonly token?: string;
}

/** Calls podid without a cluster. Each command that it tells to run has to be one to paste. */
export async function call(args: readonly string[], options: CallOptions = {}): Promise<Called> {
  const written = { stdout: '', stderr: '' };
  const isTerminal = options.terminal ?? false;
  const streamOf = (name: 'stdout' | 'stderr'): Stream => ({
    isTerminal,
    columns: options.columns,
    write: (text) => {
      written[name] += text;
      if (name === 'stdout') options.onOutput?.(text);
      else options.onProgress?.(text);
    },
  });
  const world: World = {
    env: options.env ?? {},
    home: '/nowhere',
    stdout: streamOf('stdout'),
    stderr: streamOf('stderr'),
    clock: new HastyClock(),
    signal: options.signal ?? new AbortController().signal,
  };
  const status = await runPodid(args, world, options.verbs);
  if (status !== exit.usage) allToPaste(commandsIn(args, written.stdout));
  return { status, ...written };
}

/** A stand-in for the Kubernetes API, and podid against it. Waiting takes no time. */
export interface CliRig {
  readonly api: KubeApi;
  readonly podid: (args: readonly string[], options?: CallOptions) => Promise<Called>;
  /** The report as `-o json` tells it. */
  readonly json: (args: readonly string[], options?: CallOptions) => Promise<unknown>;
  /** Path of a kubeconfig with the rights of this token. */
  readonly kubeconfig: (token: string) => string;
  /** For what a test asks by itself, on a clock that stands still; ends with the test. */
  readonly connection: (token: string) => Connection;
}

export async function cliRig(t: Test): Promise<CliRig> {
  const api = await startKubeApi();
  t.teardown(() => api.close());
  const dir = mkdtempSync(join(tmpdir(), 'podid-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const kubeconfig = (token: string): string => {
    const path = join(dir, token);
    writeFileSync(path, api.kubeconfig(token));
    return path;
  };
  const connection = (token: string): Connection => {
    const source = { kind: 'kubeconfig', path: kubeconfig(token) } as const;
    const made = new Connection({ source, userAgent: 'test', clock: new FakeClock() });
    t.teardown(() => made.close());
    return made;
  };
  const podid = (args: readonly string[], options: CallOptions = {}): Promise<Called> => {
    const KUBECONFIG = kubeconfig(options.token ?? 'admin-token');
    return call(args, { ...options, env: { KUBECONFIG, ...options.env } });
  };
  const json = async (args: readonly string[], options?: CallOptions): Promise<unknown> => {
    const { stdout, stderr } = await podid([...args, '-o', 'json'], options);
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout);
  };
  return { api, podid, json, kubeconfig, connection };
}
