import type { Agent } from '../agents/agent.ts';
import { byLabels } from '../agents/commands.ts';
import { quoted } from '../shell.ts';
import { orNone } from '../told.ts';
import type { Controller, Facts } from './facts.ts';
import { type Finding, judge, together, type Verdict } from './finding.ts';

/** How a network plugin connects pods: what is known of it without a look at the node. */
export interface Network {
  readonly title: string;
  /** `veth`: each pod its own link. `bridge`: pods share one. `ebpf`, `ovs`: packets may not pass by iptables at all. */
  readonly link: 'veth' | 'bridge' | 'ebpf' | 'ovs';
}

/** By the name of the DaemonSet that each plugin's own manifests give it. */
const networks: readonly (readonly [name: RegExp, network: Network])[] = [
  [/^cilium$/, { title: 'Cilium', link: 'ebpf' }],
  [/^calico-node$/, { title: 'Calico', link: 'veth' }],
  [/^canal$/, { title: 'Canal', link: 'veth' }],
  [/^azure-cns(-linux)?$/, { title: 'Azure CNI', link: 'veth' }],
  [/^kindnet$/, { title: 'kindnet', link: 'veth' }],
  [/^(kube-)?flannel(-ds.*)?$/, { title: 'Flannel', link: 'bridge' }],
  [/^weave-net$/, { title: 'Weave Net', link: 'bridge' }],
  [/^kube-router$/, { title: 'kube-router', link: 'bridge' }],
  [/^antrea-agent$/, { title: 'Antrea', link: 'ovs' }],
  [/^ovnkube-node$|^kube-ovn-cni$/, { title: 'OVN', link: 'ovs' }],
];

/** Where network plugins are. Elsewhere anybody may call his DaemonSet `cilium`. */
const places = /^(kube-.*|calico-system|cilium(-system)?|weave|ovn-kubernetes|openshift-.*)$/;

/** The one that decides: with Cilium on Azure CNI, say, it is Cilium. Undefined for none that we know. */
export function networkOf(daemonSets: readonly Controller[]): Network | undefined {
  const names = daemonSets.filter(({ namespace }) => places.test(namespace)).map(({ name }) => name);
  return networks.find(([pattern]) => names.some((name) => pattern.test(name)))?.[1];
}

/** Network plugins whose packets may pass the redirect by. The agents' own probes know better, where they are ready. */
export function checkNetwork(facts: Facts): Verdict {
  const { daemonSets, cilium } = facts;
  const agents = orNone(facts.agents);
  const proven = agents.length > 0 && agents.every(({ ready }) => ready);
  const plugin = judge({ daemonSets }, (read) => {
    const network = networkOf(read.daemonSets);
    return network?.link === 'ovs' ? [ovs(network, proven, agents)] : [];
  });
  return together(
    plugin,
    judge({ cilium }, (read) => read.cilium.flatMap((data) => hostRouting(data, proven))),
  );
}

function ovs({ title }: Network, proven: boolean, agents: readonly Agent[]): Finding {
  const [first] = agents;
  return {
    severity: proven ? 'note' : 'warning',
    what: `Pods are connected by ${title}, through Open vSwitch`,
    why: proven
      ? 'The agents have seen that packets reach them all the same'
      : 'Where packets leave the switch without passing iptables, no request reaches the agent',
    mend: first
      ? [`kubectl logs ${quoted(first.name)} -n ${quoted(first.namespace)} --tail=50`]
      : byLabels((selector) => `kubectl get pods -A -l ${selector}`),
  };
}

/**
 * Cilium's eBPF host routing passes by iptables: neither the redirect nor the guard sees a packet. It takes kube-proxy's
 * replacement and, where Cilium masquerades at all, masquerading by eBPF.
 */
function hostRouting(data: Readonly<Record<string, string>>, proven: boolean): readonly Finding[] {
  const replaces = ['true', 'strict', 'partial', 'probe'].includes(data['kube-proxy-replacement'] ?? '');
  const otherMasquerade =
    data['enable-ipv4-masquerade'] !== 'false' && data['enable-bpf-masquerade'] !== 'true';
  const legacy = data['enable-host-legacy-routing'] === 'true' || otherMasquerade;
  if (!replaces || legacy) return [];
  return [
    {
      severity: proven ? 'note' : 'error',
      what: 'Cilium replaces kube-proxy and may route by eBPF alone (enable-host-legacy-routing is not true)',
      why: proven
        ? 'The agents have seen that packets reach them all the same; an upgrade of Cilium may change it'
        : 'Packets of pods then pass iptables by: no redirect and no guard, and pods reach the metadata service as the node',
      mend: [
        `kubectl patch configmap cilium-config -n kube-system --type=merge -p='{"data":{"enable-host-legacy-routing":"true"}}'`,
        'kubectl rollout restart daemonset/cilium -n kube-system',
      ],
    },
  ];
}
