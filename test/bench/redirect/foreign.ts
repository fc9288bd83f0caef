import { restoreText } from '../../../lib/redirect/compare.ts';

/** Rules for each Service: one that finds it, two that choose a pod, two that lead there. */
const perService = 5;

/**
 * Restore text of `rules` rules as kube-proxy writes them for a node with many Services, two chains for each. Its jump comes
 * last: before ours it would be a rival.
 */
export function foreignRules(rules: number): string {
  const services = Array.from({ length: rules / perService }, (_, number) => number);
  return restoreText('nat', [
    ':KUBE-SERVICES - [0:0]',
    ...services.flatMap((n) => [`:KUBE-SVC-${n} - [0:0]`, `:KUBE-SEP-${n} - [0:0]`]),
    ...services.flatMap(service),
    '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
  ]);
}

function service(n: number): readonly string[] {
  const low = `${Math.floor(n / 250)}.${n % 250}`;
  const name = `-m comment --comment "ns/svc${n}:http"`;
  return [
    `-A KUBE-SERVICES -d 10.0.${low}/32 -p tcp ${name} -m tcp --dport 80 -j KUBE-SVC-${n}`,
    `-A KUBE-SVC-${n} ${name} -m statistic --mode random --probability 0.5 -j KUBE-SEP-${n}`,
    `-A KUBE-SVC-${n} ${name} -j KUBE-SEP-${n}`,
    `-A KUBE-SEP-${n} -s 10.244.${low}/32 ${name} -j MARK --set-xmark 0x4000/0x4000`,
    `-A KUBE-SEP-${n} -p tcp ${name} -m tcp -j DNAT --to-destination 10.244.${low}:80`,
  ];
}
