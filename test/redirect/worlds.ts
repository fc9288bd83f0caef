import type { Test } from 'tap';
import { restoreText } from '../../lib/redirect/compare.ts';
import { createIptables, type Iptables } from '../../lib/redirect/iptables.ts';
import { FakeIptables } from '../fakes/iptables.ts';
import { execIn, skip, throwAwayNamespace } from '../netns/namespaces.ts';

/** What stands of our chain and PREROUTING, without the policies. */
export async function leaves(iptables: Iptables): Promise<readonly string[]> {
  const all = [await iptables.list('nat', 'aad-metadata'), await iptables.list('nat', 'PREROUTING')];
  return all
    .flatMap((listed) => (listed.kind === 'lines' ? listed.lines : []))
    .filter((line) => !line.startsWith('-P '));
}

/** Where a contract must hold: the fake and the kernel, both backends. */
export const worlds = [
  { name: 'fake nft', skip: false, make: () => createIptables(new FakeIptables().exec, 'nft') },
  { name: 'fake legacy', skip: false, make: () => createIptables(new FakeIptables().exec, 'legacy') },
  { name: 'kernel nft', skip, make: (t: Test) => createIptables(execIn(throwAwayNamespace(t)), 'nft') },
  { name: 'kernel legacy', skip, make: (t: Test) => createIptables(execIn(throwAwayNamespace(t)), 'legacy') },
] as const;

/** Nothing of ours in nat, nor in its PREROUTING. */
export async function wipe(iptables: Iptables): Promise<void> {
  await iptables.restore(restoreText('nat', [':aad-metadata - [0:0]', '-F PREROUTING', '-X aad-metadata']));
}
