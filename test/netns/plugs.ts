import { addresses, podAddress } from '../lab/addresses.ts';
import { ip, ipIn, sysctl } from '../lab/namespaces.ts';
import { azureOf, nodeOf, plugPod, podOf } from '../lab/network.ts';

/** A machine or a pod: a network namespace, and the address that it is known by. */
export interface Place {
  readonly namespace: string;
  readonly ip: string;
}

/** Connects a new pod to the node of lab `id`; `number` is the last part of its address. */
type Plug = (id: string, number: number) => Place;

/** A pod on the node's bridge, as with kubenet and the bridge CNI. */
export const plugBridged: Plug = (id, number) => {
  plugPod(id, `bridged${number}`, number);
  return { namespace: podOf(id, `bridged${number}`), ip: podAddress(number) };
};

/** A pod on a bridge of its own, in another subnet. */
export const plugSecondBridge: Plug = (id, number) => {
  const pod = { namespace: podOf(id, `second${number}`), ip: `10.98.3.${number}` };
  const device = connect(id, pod);
  ipIn(nodeOf(id), [
    'link add cbr1 type bridge',
    'address add 10.98.3.1/24 dev cbr1',
    'link set cbr1 up',
    `link set ${device} master cbr1`,
  ]);
  ipIn(pod.namespace, [`address add ${pod.ip}/24 dev eth0`, 'route add default via 10.98.3.1']);
  return pod;
};

/**
 * A pod on a veth that has no address on the node's side, with a /32 route: Azure CNI (transparent) and Calico. The pod's gateway
 * is an address that nobody has; the node's side answers for it (`proxy_arp`).
 */
export const plugRouted: Plug = (id, number) => {
  const pod = { namespace: podOf(id, `routed${number}`), ip: `10.98.2.${number}` };
  const device = connect(id, pod);
  sysctl(nodeOf(id), `ipv4/conf/${device}/proxy_arp`, '1');
  // Else the kernel takes up to 0.8 s for such an answer; Calico does the same.
  sysctl(nodeOf(id), `ipv4/neigh/${device}/proxy_delay`, '0');
  ipIn(nodeOf(id), [`route add ${pod.ip} dev ${device} scope link`]);
  ipIn(pod.namespace, [
    `address add ${pod.ip}/32 dev eth0`,
    'route add 169.254.1.1 dev eth0 scope link',
    'route add default via 169.254.1.1 dev eth0',
  ]);
  return pod;
};

/**
 * A pod in the node's own subnet, on a bridge that has the node's uplink as a port: Azure CNI (bridge). Its packets to Azure are
 * bridged, not routed.
 */
export const plugUplink: Plug = (id, number) => {
  const pod = { namespace: podOf(id, `uplink${number}`), ip: `10.98.0.${number}` };
  const device = connect(id, pod);
  ipIn(nodeOf(id), [
    'link add azure0 type bridge',
    'address flush dev eth0',
    'link set eth0 master azure0',
    `link set ${device} master azure0`,
    `address add ${addresses.node}/24 dev azure0`,
    'link set azure0 up',
    `route add default via ${addresses.azure}`,
  ]);
  ipIn(azureOf(id), [`route delete ${pod.ip}`]);
  ipIn(pod.namespace, [`address add ${pod.ip}/24 dev eth0`, `route add default via ${addresses.azure}`]);
  return pod;
};

/** Makes the pod and its veth, both ends up, and shows Azure the way. Gives the name of the node's end. */
function connect(id: string, { namespace, ip: address }: Place): string {
  const device = `pod${address.split('.').slice(2).join('x')}`;
  ip('netns', 'add', namespace);
  ipIn(namespace, [
    'link set lo up',
    `link add eth0 type veth peer name ${device} netns ${nodeOf(id)}`,
    'link set eth0 up',
  ]);
  ipIn(nodeOf(id), [`link set ${device} up`]);
  ipIn(azureOf(id), [`route add ${address} via ${addresses.node}`]);
  return device;
}

/** From now on the place sends what goes to 127.0.0.1 to the gateway, as a pod with NET_ADMIN can (CVE-2020-8558). */
export function aimLoopbackAt({ namespace, ip }: Place, gateway: string): void {
  sysctl(namespace, 'ipv4/conf/all/route_localnet', '1');
  ipIn(namespace, [
    'address delete 127.0.0.1/8 dev lo',
    `route add 127.0.0.1/32 via ${gateway} dev eth0 src ${ip}`,
  ]);
}
