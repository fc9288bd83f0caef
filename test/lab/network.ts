import { addresses, podAddress } from './addresses.ts';
import { ip, ipIn, namespaces, removeNamespace, sysctl } from './namespaces.ts';

/** The namespaces of lab `id`. */
export const azureOf = (id: string): string => `pi-${id}-azure`;
export const nodeOf = (id: string): string => `pi-${id}-node`;
export const podOf = (id: string, pod: string): string => `pi-${id}-pod-${pod}`;

/**
 * A node, and Azure behind it. Azure knows the way back to the pods and nothing is masqueraded, so a packet that passes the
 * agent by arrives at IMDS with the address of its pod.
 */
export function buildNetwork(id: string): void {
  const [azure, node] = [azureOf(id), nodeOf(id)];
  ip('netns', 'add', azure);
  ip('netns', 'add', node);
  ipIn(azure, [
    'link set lo up',
    `address add ${addresses.imds}/32 dev lo`,
    `link add eth0 type veth peer name eth0 netns ${node}`,
    `address add ${addresses.azure}/24 dev eth0`,
    'link set eth0 up',
    `route add ${addresses.pods} via ${addresses.node}`,
  ]);
  ipIn(node, [
    'link set lo up',
    `address add ${addresses.node}/24 dev eth0`,
    'link set eth0 up',
    `route add default via ${addresses.azure}`,
    'link add cbr0 type bridge',
    `address add ${addresses.bridge}/24 dev cbr0`,
    'link set cbr0 up',
  ]);
  sysctl(node, 'ipv4/ip_forward', '1');
}

/** Plugs a pod's namespace into the node's bridge; `number` is the last part of its address. */
export function plugPod(id: string, pod: string, number: number): void {
  const name = podOf(id, pod);
  ip('netns', 'add', name);
  ipIn(name, [
    'link set lo up',
    `link add eth0 type veth peer name veth${number} netns ${nodeOf(id)}`,
    `address add ${podAddress(number)}/24 dev eth0`,
    'link set eth0 up',
    `route add default via ${addresses.bridge}`,
  ]);
  ipIn(nodeOf(id), [`link set veth${number} master cbr0 up`]);
}

/** Ends the pod's processes, then its network. */
export function unplugPod(id: string, pod: string): void {
  removeNamespace(podOf(id, pod));
}

/** The namespaces that lab `id` has now. An id has no hyphen, so no lab's name begins another's. */
export function namespacesOf(id: string): string[] {
  return namespaces().filter((name) => name.startsWith(`pi-${id}-`));
}
