import { readdir } from 'node:fs/promises';
import { messageOf } from '../model/errors.ts';
import type { Iptables } from './iptables.ts';

/**
 * Who carries the pods' packets, as far as the node shows. `bypass`: maybe somebody past netfilter, where no rule of ours
 * meets them; `why` is one sentence with the cure. `unknown`: could not be told this time.
 */
export type Datapath =
  | { readonly kind: 'netfilter' }
  | { readonly kind: 'bypass'; readonly why: string }
  | { readonly kind: 'unknown'; readonly why: string };

export interface DatapathQuestions {
  /** The names of the node's network interfaces. */
  readonly interfaces: () => Promise<readonly string[]>;
  /** As unfilteredUplink of uplink.ts. */
  readonly uplink: () => Promise<string | undefined>;
  /** The backend that was chosen, once there is one. */
  readonly iptables: () => Pick<Iptables, 'list'> | undefined;
}

/** The node's interfaces; in a container those of the network that its /sys was mounted from. */
export const kernelInterfaces: DatapathQuestions['interfaces'] = () => readdir('/sys/class/net');

/**
 * With eBPF host routing Cilium sends a pod's packets from the pod's own interface to where they go, past netfilter. It takes
 * a kube-proxy that is replaced, and no masquerading by iptables (Cilium 1.9 to 1.20 go back to the host's routing otherwise).
 * So kube-proxy's rules, or Cilium's own for masquerading, show that packets meet iptables. Neither is there also on a
 * Cilium with `bpf.hostLegacyRouting`, where the redirect works: what is found here is a suspicion. Never rejects.
 */
export async function readDatapath({ interfaces, uplink, iptables }: DatapathQuestions): Promise<Datapath> {
  try {
    const bridge = await uplink();
    if (bridge !== undefined) return { kind: 'bypass', why: bridged(bridge) };
    const found = (await interfaces()).find((name) => /^cilium_(host|net|vxlan|geneve)$/.test(name));
    if (found === undefined) return { kind: 'netfilter' };
    const backend = iptables();
    if (!backend) return { kind: 'unknown', why: 'no iptables backend has been chosen yet' };
    for (const { chain, rule } of witnesses) {
      const listed = await backend.list('nat', chain);
      if (listed.kind === 'unknown') return { kind: 'unknown', why: listed.why };
      if (listed.kind === 'lines' && listed.lines.some((line) => rule.test(line)))
        return { kind: 'netfilter' };
    }
    return { kind: 'bypass', why: suspicion(found) };
  } catch (error) {
    return { kind: 'unknown', why: messageOf(error) };
  }
}

/** Rules that are there only where pods' packets meet them. Cilium's have their comments since 1.6. */
const witnesses = [
  { chain: 'KUBE-SERVICES', rule: /^-A / },
  { chain: 'CILIUM_POST_nat', rule: /"cilium (masquerade|snat) non-cluster/ },
] as const;

function suspicion(found: string): string {
  return (
    `Cilium is on this node (${found}) without kube-proxy and without masquerading by iptables, so it may carry pods' packets ` +
    'past every iptables rule, and none has arrived over the redirect yet: set bpf.hostLegacyRouting=true in its Helm values ' +
    '(a CiliumLocalRedirectPolicy alone will not do, since the guard lets in only what iptables redirected)'
  );
}

function bridged(name: string): string {
  return (
    `the node's uplink is on the bridge ${name}, whose frames iptables is not shown, so pods on it may pass by every rule, and none ` +
    'has arrived over the redirect yet: set the sysctl net.bridge.bridge-nf-call-iptables to 1'
  );
}
