import { join } from 'node:path';
import { addresses } from '../../lab/addresses.ts';
import { cpuOf } from '../redirect/cpu.ts';
import type { Contender } from './contender.ts';

export interface LoadOrder {
  readonly host: string;
  /** `{n}` in it is the number of the address. */
  readonly path: string;
  readonly connections: number;
  /** It ends after these, or after that many requests. */
  readonly seconds: number;
  readonly requests?: number;
  /** Where connections come from, in turn; the pod's own when there are none. */
  readonly addresses: readonly string[];
  /** A connection ends after that many requests, and the next comes from the next address. */
  readonly perConnection: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** How often each status came. */
  readonly statuses: Readonly<Record<string, number>>;
  /** How often a connection failed, by its error. */
  readonly failures: Readonly<Record<string, number>>;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Cores that the load itself took: near 1, it may be what was measured. */
  readonly busy: number;
}

export interface Loaded extends LoadResult {
  readonly perSecond: number;
  /** CPU time of what was asked, its children's included. */
  readonly cpuMsPer1000: number;
  /** Cores that it took. */
  readonly serverBusy: number;
}

/** With many pods, so that each of them has its share: 100 requests of a connection's life. */
const perConnection = 100;
const program = join(import.meta.dirname, 'load-program.ts');

export type Load = Pick<LoadOrder, 'path' | 'connections' | 'seconds'> & Partial<LoadOrder>;

/** Asks a contender as its pods would. Rejects when the load does not end, or not as it should. */
export async function load({ lab, pid, addresses: sources }: Contender, given: Load): Promise<Loaded> {
  const order: LoadOrder = {
    ...{ host: addresses.imds, addresses: sources },
    perConnection: sources.length > 1 ? perConnection : Number.MAX_SAFE_INTEGER,
    ...given,
  };
  const before = cpuOf(pid);
  const command = [process.execPath, program, JSON.stringify(order)];
  const { code, stdout, stderr } = await lab.exec('demo', command, {
    timeoutMs: order.seconds * 1000 + 60_000,
  });
  const after = cpuOf(pid);
  if (code !== 0 || stdout === '') throw new Error(`the load ended with ${code}: ${stderr}`);
  const result = JSON.parse(stdout) as LoadResult;
  const cpuMs = after.own + after.children - before.own - before.children;
  return {
    ...result,
    perSecond: result.requests / result.seconds,
    cpuMsPer1000: (cpuMs / result.requests) * 1000,
    serverBusy: cpuMs / 1000 / result.seconds,
  };
}

export function tokenPath(resource = 'https://vault.azure.net'): string {
  return `/metadata/identity/oauth2/token?api-version=2018-02-01&resource=${resource}`;
}

/** Answers that were not 200, and connections that failed. */
export function failedOf({ statuses, failures }: LoadResult): number {
  const counts = [
    ...Object.entries(statuses).filter(([status]) => status !== '200'),
    ...Object.entries(failures),
  ];
  return counts.reduce((sum, [, times]) => sum + times, 0);
}
