/**
 * What we put into the kernel, as values. Two chains of our own: the redirect (nat) sends a pod's metadata request to
 * the agent; the guard (mangle) drops what got past it. The texts are those that `iptables -S` of both backends prints
 * (iptables 1.8.9), so that what stands can be compared byte for byte.
 */

/** Where the packets go. Addresses are IPv4 in dotted form. */
export interface RedirectRules {
  readonly metadataIp: string;
  readonly metadataPort: number;
  /** The address that the agent's listener is bound to; `0.0.0.0` for all of the node's. */
  readonly listen: string;
  /** The address of the node that the redirect sends to. */
  readonly targetIp: string;
  /** The pods' ports, one above the other: an agent has one of them, its successor the other. */
  readonly ports: readonly [number, number];
  /** Names this agent in its chain, so that another can tell whose it is; of 0-9 and a-f. */
  readonly owner: string;
}

export type Table = 'nat' | 'mangle';

/** A chain of ours: written whole, and jumped to from position 1 of each hook. */
export interface OwnChain {
  readonly table: Table;
  readonly name: string;
  readonly hooks: readonly string[];
  /** Without the `-A NAME`. */
  readonly rules: readonly string[];
  /** What the chain is there for: these must come to it. */
  readonly packets: readonly Packet[];
}

/** The first packet of a connection over TCP, on its way through a chain of the kernel. Anybody may have sent it. */
export interface Packet {
  readonly hook: string;
  /** Where it goes; undefined for any address of the node. */
  readonly ip: string | undefined;
  /** Whether that is an address of the node. */
  readonly local: boolean;
  readonly ports: readonly number[];
}

/** What can be told about a chain of ours without knowing its rules; enough to remove it. */
export type ChainPlace = Pick<OwnChain, 'table' | 'name' | 'hooks'>;

/** The original's name, so that an upgrade takes its chain over in place and run-books keep working. */
export const redirectPlace: ChainPlace = { table: 'nat', name: 'aad-metadata', hooks: ['PREROUTING'] };

export const guardPlace: ChainPlace = {
  table: 'mangle',
  name: 'aad-metadata-guard',
  hooks: ['FORWARD', 'INPUT'],
};

/** The redirect: every address of a pod, but never the node's own loopback. `port` is the one that this agent has. */
export function redirectChain(
  { metadataIp, metadataPort, targetIp, owner }: RedirectRules,
  port: number,
): OwnChain {
  const match = `! -s 127.0.0.1/32 -d ${metadataIp}/32 -p tcp -m tcp --dport ${metadataPort}`;
  const mark = `-m comment --comment "pod-identity:${owner}"`;
  return {
    ...redirectPlace,
    rules: [`${match} ${mark} -j DNAT --to-destination ${targetIp}:${port}`],
    packets: [{ hook: 'PREROUTING', ip: metadataIp, local: false, ports: [metadataPort] }],
  };
}

/**
 * The guard, from FORWARD and INPUT. Processes of the node itself leave through OUTPUT and come back, if at all, through `lo`,
 * which every rule spares. In this order it drops
 * - what is forwarded to the metadata address: a redirected packet carries the agent's by the time it is routed;
 * - what was meant for the metadata address and is forwarded elsewhere: a Service may have that address (CVE-2020-8554), in a
 *   table that is asked before ours (kube-proxy in nftables mode, measured);
 * - what comes to the pods' ports without having been redirected, untracked or by another's translation, also on the loopback,
 *   which pods reach where `route_localnet` is on. All of the ports, so that an agent and its successor want the same guard;
 * - where `closed`, while no agent is there and the next is expected: new connections to these ports. A client sends its SYN
 *   again after 1, 3 and 7 s and then meets the next agent, where a closed port would have refused it.
 */
export function guardChain(rules: RedirectRules, { closed = false } = {}): OwnChain {
  const { metadataIp, metadataPort, listen, targetIp, ports } = rules;
  const everywhere = listen === '0.0.0.0';
  const places = everywhere ? [''] : [...new Set([`-d ${targetIp}/32 `, '-d 127.0.0.0/8 '])];
  const inward = places.map((place) => `${place}! -i lo -p tcp -m tcp --dport ${ports.join(':')}`);
  return {
    ...guardPlace,
    rules: [
      `-d ${metadataIp}/32 ! -i lo -p tcp -m tcp --dport ${metadataPort} -j DROP`,
      `! -i lo -p tcp -m addrtype ! --dst-type LOCAL -m conntrack --ctorigdst ${metadataIp} --ctorigdstport ${metadataPort} -j DROP`,
      ...inward.map((packet) => `${packet} -m conntrack ! --ctstate DNAT -j DROP`),
      ...inward.map((packet) => `${packet} -m conntrack ! --ctorigdst ${metadataIp} -j DROP`),
      ...(closed ? inward.map((packet) => `${packet} -m conntrack --ctstate NEW -j DROP`) : []),
    ],
    packets: [
      { hook: 'FORWARD', ip: metadataIp, local: false, ports: [metadataPort] },
      { hook: 'INPUT', ip: everywhere ? undefined : targetIp, local: true, ports },
    ],
  };
}

/** The chain as `iptables -S NAME` prints it. */
export function chainLines({ name, rules }: OwnChain): readonly string[] {
  return [`-N ${name}`, ...rules.map((rule) => `-A ${name} ${rule}`)];
}

/** Whose chain this is, from its lines; undefined for the original's, and for one that somebody else wrote. */
export function ownerIn(lines: readonly string[]): string | undefined {
  return /--comment "?pod-identity:([0-9a-f]+)\b/.exec(lines.join('\n'))?.[1];
}

/** Where a redirect leads, from its lines. */
export function targetIn(lines: readonly string[]): Target | undefined {
  const [, ip, port] = /--to-destination ([0-9.]+):(\d+)$/m.exec(lines.join('\n')) ?? [];
  return ip === undefined ? undefined : { ip, port: Number(port) };
}

/** An address of the node, and a port. */
export interface Target {
  readonly ip: string;
  readonly port: number;
}
