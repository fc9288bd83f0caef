import { quoted } from '../shell.ts';
import { blocksOf } from './blocks.ts';
import type { EgressPolicy, Target } from './egress.ts';

/** Where an agent hears pods. */
export interface Door {
  /** What pods ask: the address that is redirected. */
  readonly metadata: Target;
  /** What they are redirected to, on their own node. */
  readonly ports: readonly number[];
  /** The redirect may lead to 127.0.0.1 in place of the node's address. */
  readonly loopback: boolean;
}

const suffix = '-pod-identity';

/**
 * A command for a policy that opens the way for the pods of one that isolates them, and for no others: a policy isolates whomever
 * it selects. It opens nothing but that way: IMDS itself, for network plugins that look before the redirect, and the agents'
 * ports on today's nodes, for those that look behind it. `create`, since `apply` would change what has the name by chance.
 */
export function allowing(
  { isolating, all }: { readonly isolating: readonly EgressPolicy[]; readonly all: readonly EgressPolicy[] },
  nodes: readonly string[],
  { metadata, ports, loopback }: Door,
): string {
  const [{ namespace, name, podSelector }] = isolating as [EgressPolicy, ...EgressPolicy[]];
  const blocks = [...blocksOf(nodes), ...(loopback ? ['127.0.0.1/32'] : [])];
  const policy = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: {
      name: freeName(
        name,
        all.filter((each) => each.namespace === namespace),
      ),
    },
    spec: {
      podSelector,
      policyTypes: ['Egress'],
      egress: [
        row([`${metadata.ip}/32`], [metadata.port]),
        ...(blocks.length > 0 ? [row(blocks, ports)] : []),
      ],
    },
  };
  // Whoever made the policy chose the words of its selector.
  const json = JSON.stringify(policy).replaceAll("'", '\\u0027');
  return `printf %s '${json}' | kubectl create -n ${quoted(namespace)} -f -`;
}

function row(cidrs: readonly string[], ports: readonly number[]): object {
  return {
    to: cidrs.map((cidr) => ({ ipBlock: { cidr } })),
    ports: ports.map((port) => ({ protocol: 'TCP', port })),
  };
}

/** One that none of these has: `web-pod-identity`, `web-pod-identity-2`. */
function freeName(name: string, taken: readonly EgressPolicy[]): string {
  const names = new Set(taken.map((each) => each.name));
  const stem = name.replace(/-pod-identity(-\d+)?$/, '').slice(0, 200);
  for (let i = 1; ; i++) {
    const free = `${stem}${suffix}${i === 1 ? '' : `-${i}`}`;
    if (!names.has(free)) return free;
  }
}
