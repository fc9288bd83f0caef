import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { systemExec } from '../../lib/platform/exec.ts';
import { addresses, podAddress } from '../lab/addresses.ts';
import { ipIn, sysctl } from '../lab/namespaces.ts';
import { plugPod, podOf, unplugPod } from '../lab/network.ts';
import { ready, startProcess } from '../lab/processes.ts';
import { execIn, throwAwayNode } from './namespaces.ts';

/** A node with the pods `app` (the owner) and `thief` on one bridge, and a listener on the node that both can ask. */
export interface BridgeNode {
  readonly node: string;
  readonly app: string;
  readonly thief: string;
  /** How a connection to the node's listener ends: `node` (who answered) or `silence`. */
  ask(from: string): Promise<string>;
  /** TCP resets that the namespace has sent so far: an owner's answer to what it never asked for. */
  resets(namespace: string): Promise<number>;
  /** The owner is made again: a new port and a new MAC at its old address. */
  remakeApp(): void;
}

export const owner = podAddress(10);
export const thiefAddress = podAddress(11);

export async function setBridgeNode(t: Test): Promise<BridgeNode> {
  const { node, pod: app } = throwAwayNode(t);
  const id = node.replace(/^pi-(.*)-node$/, '$1');
  plugPod(id, 'thief', 11);
  // The kernel believes a second answer only a second after the first; a thief can wait, a test should not.
  sysctl(node, 'ipv4/neigh/cbr0/locktime', '0');
  const logs = mkdtempSync(join(tmpdir(), 'bridge-'));
  t.teardown(() => rmSync(logs, { recursive: true }));
  const here = import.meta.dirname;
  const listener = startProcess({
    namespace: node,
    command: [process.execPath, join(here, 'listener.ts'), 'node', addresses.bridge, '2579'],
    log: join(logs, 'node'),
  });
  await ready('node', listener);
  return {
    node,
    app,
    thief: podOf(id, 'thief'),
    ask: async (from) => {
      const args = [join(here, 'ask.ts'), addresses.bridge, '2579', '1', '700'];
      const { stdout, stderr } = await execIn(from)(process.execPath, args, { timeoutMs: 20_000 });
      const [how] = Object.keys(JSON.parse(stdout || '{}'));
      if (how === undefined) throw new Error(stderr);
      return how;
    },
    resets: async (namespace) => {
      const { stdout } = await execIn(namespace)('cat', ['/proc/net/snmp'], { timeoutMs: 5_000 });
      const [names, values] = stdout.split('\n').filter((line) => line.startsWith('Tcp: '));
      return Number(values?.split(' ')[names?.split(' ').indexOf('OutRsts') ?? -1]);
    },
    remakeApp: () => {
      // The port first: the kernel takes its time to clear a deleted namespace.
      ipIn(app, ['link delete eth0']);
      unplugPod(id, 'app');
      plugPod(id, 'app', 10);
    },
  };
}

/** The thief leaves its own address and takes the owner's, and `withMac` its MAC too: what raw frames do with NET_RAW. */
export async function takeAddress(
  { node, app, thief }: BridgeNode,
  { withMac }: { withMac: boolean },
): Promise<void> {
  ipIn(thief, [
    'address flush dev eth0',
    ...(withMac ? [`link set eth0 address ${await macOf(app, 'eth0')}`] : []),
    `address add ${owner}/24 dev eth0`,
    `route replace default via ${addresses.bridge}`,
    // It need not ask for the node, whose answer would go to the owner.
    `neigh replace ${addresses.bridge} lladdr ${await macOf(node, 'cbr0')} dev eth0 nud permanent`,
    // What a thief says of itself, the node believes: a gratuitous ARP by way of a question.
    `neigh replace ${thiefAddress} dev eth0 nud none use`,
  ]);
}

export async function macOf(namespace: string, device: string): Promise<string> {
  const args = ['-n', namespace, '-j', 'link', 'show', device];
  const { stdout } = await systemExec('ip', args, { timeoutMs: 5_000 });
  return (JSON.parse(stdout) as { address: string }[])[0]?.address ?? '';
}
