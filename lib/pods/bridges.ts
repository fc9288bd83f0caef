import { existsSync } from 'node:fs';
import { BlockList, isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Logger } from '../platform/log.ts';

/** An address that a pod of this node holds. */
export interface PodAddress {
  readonly ip: string;
  /** `namespace/name` */
  readonly pod: string;
}

/** A Linux bridge of this node and the IPv4 subnets that the node has on it, as `10.244.1.1/24`. */
export interface Bridge {
  readonly name: string;
  readonly subnets: readonly string[];
}

export interface InterfaceFacts {
  /** As os.networkInterfaces: those that are up and have a carrier; a bridge has none while nothing is plugged in. */
  readonly interfaces: () => Readonly<Record<string, readonly InterfaceAddress[] | undefined>>;
  readonly isBridge: (name: string) => boolean;
}

export interface InterfaceAddress {
  readonly family: string;
  readonly cidr: string | null;
}

const kernelFacts: InterfaceFacts = {
  interfaces: networkInterfaces,
  isBridge: (name) => existsSync(`/sys/class/net/${name}/bridge`),
};

/** This node's bridges that have an IPv4 address. About 2 ms with 110 pods; throws what the kernel's answer throws. */
export function readBridges({ interfaces, isBridge }: InterfaceFacts = kernelFacts): readonly Bridge[] {
  return Object.entries(interfaces()).flatMap(([name, addresses = []]) => {
    const subnets = addresses.flatMap(({ family, cidr }) => (family === 'IPv4' && cidr ? [cidr] : []));
    return subnets.length > 0 && isBridge(name) ? [{ name, subnets }] : [];
  });
}

/**
 * The addresses that are reached over a bridge, each with its bridge's name. On a bridge pods share one link, so a pod with
 * NET_RAW can answer for another's address; a pod behind a veth of its own with a /32 route cannot. Told by the subnet: a
 * pod that has a /32 route out of a bridge's subnet would count too. IPv4 only, as the metadata address is.
 */
export function onBridges<Address extends PodAddress>(
  addresses: Iterable<Address>,
  bridges: readonly Bridge[],
): (Address & { readonly bridge: string })[] {
  if (bridges.length === 0) return [];
  const links = bridges.map(({ name, subnets }) => ({ name, subnets: listOf(subnets) }));
  return [...addresses].flatMap((address) => {
    if (!isIPv4(address.ip)) return [];
    const link = links.find(({ subnets }) => subnets.check(address.ip));
    return link ? [{ ...address, bridge: link.name }] : [];
  });
}

function listOf(subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [network = '', prefix = '32'] = subnet.split('/');
    list.addSubnet(network, Number(prefix));
  }
  return list;
}

export interface BridgeWarningOptions {
  readonly bridges: () => readonly Bridge[];
  /** The addresses of this node's pods. */
  readonly held: () => Iterable<PodAddress>;
  readonly log: Logger;
}

/** Gives a look to be taken whenever pods may have changed: it warns once per bridge, when its first pod is seen. */
export function createBridgeWarning({ bridges, held, log }: BridgeWarningOptions): () => void {
  const told = new Set<string>();
  return () => {
    for (const { bridge, pod } of onBridges(held(), bridges())) {
      if (told.has(bridge)) continue;
      told.add(bridge);
      log.warn(
        { bridge, pod, cure: 'drop NET_RAW from all pods, or use --pin-neighbours' },
        "pods on this bridge that have NET_RAW can take each other's address, and with it the identity",
      );
    }
  };
}
