/**
 * What we put into the kernel, as values. Two chains of our own: the redirect (nat) sends a pod's metadata request to
 * the agent; the guard (mangle) drops what got past it. The texts are those that `iptables -S` of both backends prints
 * (iptables 1.8.9), so that what stands can be compared byte for byte.
 */

/** Where the packets go. Addresses are IPv4 in dotted form. */
export interface RedirectRules {
  readonly metadataIp: string;
  readonly metadataPort: number;
  /** The address that the agent's listener is bound to; `0.0.0.0` or `::` for all of the node's. */
  readonly listen: string;
  /** Where the redirect sends to: an address of the node, and the listener's port. */
  readonly target: { readonly ip: string; readonly port: number };
}

export type Table = 'nat' | 'mangle';

/** A chain of ours: written whole, and jumped to from position 1 of each hook. `rules` lack the `-A NAME`. */
export interface OwnChain {
  readonly table: Table;
  readonly name: string;
  readonly hooks: readonly string[];
  readonly rules: readonly string[];
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

/** The redirect: every address of a pod, but never the node's own loopback. */
export function redirectChain({ metadataIp, metadataPort, target }: RedirectRules): OwnChain {
  const match = `! -s 127.0.0.1/32 -d ${metadataIp}/32 -p tcp -m tcp --dport ${metadataPort}`;
  return { ...redirectPlace, rules: [`${match} -j DNAT --to-destination ${target.ip}:${target.port}`] };
}

/**
 * The guard. First rule: a redirected packet carries the agent's address by the time it is routed, so one that still
 * carries the metadata address escaped the redirect. Second rule: nobody speaks to the agent's pod port directly.
 * Processes of the node itself leave through OUTPUT and come back, if at all, through `lo`, which both rules spare.
 */
export function guardChain({ metadataIp, metadataPort, listen, target }: RedirectRules): OwnChain {
  const everywhere = listen === '0.0.0.0' || listen === '::';
  const port = `${everywhere ? '' : `-d ${target.ip}/32 `}! -i lo -p tcp -m tcp --dport ${target.port}`;
  return {
    ...guardPlace,
    rules: [
      `-d ${metadataIp}/32 ! -i lo -p tcp -m tcp --dport ${metadataPort} -j DROP`,
      `${port} -m conntrack ! --ctstate DNAT -j DROP`,
    ],
  };
}

/** The chain as `iptables -S NAME` prints it. */
export function chainLines({ name, rules }: OwnChain): readonly string[] {
  return [`-N ${name}`, ...rules.map((rule) => `-A ${name} ${rule}`)];
}
