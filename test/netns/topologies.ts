import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { systemClock } from '../../lib/platform/clock.ts';
import type { Exec } from '../../lib/platform/exec.ts';
import { createLogger } from '../../lib/platform/log.ts';
import type { BackendName } from '../../lib/redirect/iptables.ts';
import { createRedirect, type Redirect } from '../../lib/redirect/redirect.ts';
import type { RedirectRules } from '../../lib/redirect/rules.ts';
import { addresses, podAddress } from '../lab/addresses.ts';
import { sysctl } from '../lab/namespaces.ts';
import { ready, startProcess } from '../lab/processes.ts';
import { type Ask, askingIn } from './asking.ts';
import { execIn, readFileIn, throwAwayNode } from './namespaces.ts';
import { type Place, plugBridged, plugRouted, plugSecondBridge, plugUplink } from './plugs.ts';

/** A listener that answers with its name. */
export interface Listening {
  /** The source addresses of all connections so far. */
  peers(): readonly string[];
}

/** A node with a pod on its bridge and Azure behind it, and ways to connect more pods; all gone with the test. */
export interface Topology {
  readonly node: Place;
  readonly pod: Place;
  /** Another machine of the node's network, that has the metadata address, too. */
  readonly azure: Place;
  /** Azure at the metadata address. */
  readonly imds: Listening;
  readonly onNode: Exec;
  readonly ask: Ask;
  bridged(number: number): Place;
  onSecondBridge(number: number): Place;
  routed(number: number): Place;
  onUplink(number: number): Place;
  /** Starts a listener at `IP:PORT` of the place. */
  listen(name: string, where: Place, at: string): Promise<Listening>;
  /** Starts, at `IP:PORT` of the node, what hands each connection on, as the agent does for an excepted pod. */
  relay(at: string, to: string): Promise<void>;
  /** The redirect stage on this node, which sends pods to its `eth0` unless said. */
  redirect(backend: BackendName, rules?: Partial<RedirectRules>): Redirect;
}

export const metadata = `${addresses.imds}:80`;
export const backends = ['nft', 'legacy'] as const;

export async function setTopology(t: Test): Promise<Topology> {
  const { node, pod, azure, folder } = throwAwayNode(t);
  const id = node.replace(/^pi-(.*)-node$/, '$1');
  const onAzure = { namespace: azure, ip: addresses.azure };
  const start = async (name: string, namespace: string, program: string, ...args: string[]) => {
    const command = [process.execPath, join(import.meta.dirname, program), ...args] as const;
    const started = startProcess({ namespace, command: [...command], log: join(folder, name) });
    await ready(name, started);
    return started;
  };
  const listen: Topology['listen'] = async (name, { namespace }, at) => {
    const listener = await start(name, namespace, 'listener.ts', name, ...split(at));
    return { peers: () => peersIn(listener.output()) };
  };
  return {
    node: { namespace: node, ip: addresses.node },
    pod: { namespace: pod, ip: podAddress(10) },
    azure: onAzure,
    imds: await listen('azure', onAzure, metadata),
    onNode: execIn(node),
    ask: askingIn(t),
    bridged: (number) => plugBridged(id, number),
    onSecondBridge: (number) => plugSecondBridge(id, number),
    routed: (number) => plugRouted(id, number),
    onUplink: (number) => plugUplink(id, number),
    listen,
    relay: async (at, to) => void (await start('relay', node, 'relay.ts', ...split(at), ...split(to))),
    redirect: (backend, rules) => redirectOn(node, backend, rules),
  };
}

/** The source addresses of the connections from now on, sorted. */
export function heardFromNow(listening: Listening): () => string[] {
  const before = listening.peers().length;
  return () => listening.peers().slice(before).sort();
}

/** Whether bridged packets meet iptables in this namespace. Where `br_netfilter` is not loaded they never do. */
export function bridgeNetfilter({ namespace }: Place, on: boolean): void {
  if (on || !noBridgeNetfilter) sysctl(namespace, 'bridge/bridge-nf-call-iptables', on ? '1' : '0');
}

/** For `t.test(name, { skip }, …)`. */
export const noBridgeNetfilter =
  !existsSync('/proc/sys/net/bridge/bridge-nf-call-iptables') &&
  'br_netfilter is not loaded, so that bridged packets cannot meet iptables here';

function split(at: string): [string, string] {
  const [, ip = '', port = ''] = /^(.*):(\d+)$/.exec(at) ?? [];
  return [ip, port];
}

function peersIn(output: string): string[] {
  return [...output.matchAll(/^hit (?:::ffff:)?(\S+)$/gm)].map(([, peer = '']) => peer);
}

function redirectOn(node: string, backend: BackendName, rules: Partial<RedirectRules> = {}): Redirect {
  return createRedirect({
    exec: execIn(node),
    answers: async () => 'no',
    readFile: readFileIn(node),
    clock: systemClock,
    log: createLogger('json', { to: { write: () => undefined } }),
    random: () => 0,
    rules: {
      metadataIp: addresses.imds,
      metadataPort: 80,
      listen: addresses.node,
      targetIp: addresses.node,
      ports: [2579, 2580],
      owner: 'a1',
      ...rules,
    },
    guard: 'mangle',
    backend,
    conntrackDeletion: true,
    onRepair: () => undefined,
  });
}
