/**
 * Run on a node: the upkeep of the redirect without anything around it, one look at the kernel for each `mend` on stdin, which
 * is answered by a line of JSON with what it cost.
 *
 *   node test/bench/redirect/upkeep-program.ts BACKEND GUARD
 */
import { createInterface } from 'node:readline';
import type { BackendName } from '../../../lib/redirect/iptables.ts';
import { type GuardChoice, Upkeep } from '../../../lib/redirect/upkeep.ts';
import { cpuOf } from './cpu.ts';
import { podPort, redirectOptions } from './options.ts';

/** One look, and what it mended. */
export interface Cost {
  readonly wallMs: number;
  /** CPU of this process, ms. */
  readonly ownMs: number;
  /** CPU that its children have used since the program began, ms. */
  readonly childrenMs: number;
}

const [backend, guard] = process.argv.slice(2) as [BackendName, GuardChoice];
const upkeep = new Upkeep(redirectOptions(backend, guard));
upkeep.wantGuard();
upkeep.wantRedirect(podPort);

async function mend(): Promise<Cost> {
  const began = performance.now();
  const before = process.cpuUsage();
  await upkeep.mend();
  const { user, system } = process.cpuUsage(before);
  const childrenMs = cpuOf('self').children;
  return { wallMs: performance.now() - began, ownMs: (user + system) / 1000, childrenMs };
}

for await (const _ of createInterface({ input: process.stdin })) console.log(JSON.stringify(await mend()));
