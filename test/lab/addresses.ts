/**
 * The lab's plan of addresses. All of it stands inside network namespaces, so labs side by side use the same one:
 *
 *     pod 10.98.1.N ── cbr0 10.98.1.1 [node] eth0 10.98.0.11 ── eth0 10.98.0.1 [azure] lo 169.254.169.254
 */
export const addresses = {
  imds: '169.254.169.254',
  azure: '10.98.0.1',
  node: '10.98.0.11',
  bridge: '10.98.1.1',
  pods: '10.98.1.0/24',
  firstPod: 10,
  lastPod: 254,
  kubePort: 6443,
} as const;

export const nodeName = 'node1';

export function podAddress(number: number): string {
  return `10.98.1.${number}`;
}
