import { join } from 'node:path';
import type { Exec, ExecResult } from '../../lib/platform/exec.ts';
import { installText } from '../../lib/redirect/compare.ts';
import { type BackendName, createIptables } from '../../lib/redirect/iptables.ts';
import { preferences, RouteGuard } from '../../lib/redirect/route-guard.ts';
import { guardChain, redirectChain } from '../../lib/redirect/rules.ts';
import { ipIn } from '../lab/namespaces.ts';
import { execIn } from './namespaces.ts';

export const program = join(import.meta.dirname, '../../bin/cleanup-iptables');

export const both: readonly BackendName[] = ['nft', 'legacy'];

const rules = {
  metadataIp: '169.254.169.254',
  metadataPort: 80,
  listen: '10.0.0.4',
  targetIp: '10.0.0.4',
  ports: [2579, 2580],
  owner: 'abcdef012345',
} as const;

export function cleanup(onNode: Exec, ...args: readonly string[]): Promise<ExecResult> {
  return onNode(program, args, { timeoutMs: 60_000 });
}

/** The chains and jumps that an agent leaves after SIGKILL; the jumps `times` over. */
export async function leave(onNode: Exec, { times = 1, backends = both } = {}): Promise<void> {
  for (const backend of backends) {
    const iptables = createIptables(onNode, backend);
    for (let i = 0; i < times; i++) {
      for (const chain of [guardChain(rules), redirectChain(rules, 2579)])
        await iptables.restore(installText(chain));
    }
  }
}

const { exempt, drop, onward } = preferences;

/** In the order in which they must go: the node's own requests are exempt for as long as there is a drop. */
export const routesInOrder = [drop, exempt, onward].map(String);

/** The routing rules of `--guard=both`; and rules of others with the same preferences. */
export async function leaveRoutes(node: string): Promise<void> {
  await new RouteGuard(execIn(node), rules).mend();
  ipIn(node, [
    `rule add pref ${exempt} from 192.0.2.1 lookup main`,
    `rule add pref ${drop} to 192.0.2.2 lookup 7 protocol 11`,
  ]);
}

export const theirRoutes = [
  `${exempt}: from 192.0.2.1 lookup main`,
  `${drop}: from all to 192.0.2.2 lookup 7 proto zebra`,
];

/** What is left of the routing rules but the kernel's own three. */
export async function routesLeft(onNode: Exec): Promise<string[]> {
  const { stdout } = await onNode('ip', ['-4', 'rule', 'show'], { timeoutMs: 5_000 });
  return stdout
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' ').trim())
    .filter((line) => line !== '' && !/^(0|32766|32767): /.test(line));
}
