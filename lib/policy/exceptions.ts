import type { AzurePodIdentityException } from '../model/exception.ts';
import { type Pod, podKey } from '../model/pod.ts';
import { Shelf } from './shelf.ts';

/**
 * AzurePodIdentityExceptions by namespace and label, so that 2,000 of them cost a request no more than one: a pod is
 * excepted when any one label of any exception of its namespace is on it (key exact, value in any letter case, as the
 * original), or all of them where the exception says so.
 */
export class Exceptions extends Shelf<AzurePodIdentityException> {
  constructor() {
    super(({ namespace, podLabels, matchAll }) => {
      const marks = marksOf(namespace, podLabels);
      return matchAll ? marks.slice(0, 1) : marks; // one label that all must have is enough to find it by
    });
  }

  /** `AzurePodIdentityException namespace/name` of one that covers the pod. */
  covering(pod: Pod): string | undefined {
    const marks = marksOf(pod.namespace, pod.labels);
    for (const mark of marks) {
      for (const exception of this.at(mark)) {
        const all = exception.matchAll ? marksOf(exception.namespace, exception.podLabels) : [];
        if (all.every((each) => marks.includes(each)))
          return `AzurePodIdentityException ${podKey(exception)}`;
      }
    }
    return undefined;
  }
}

/** Label keys hold no `=`, and namespaces no `/`, so the joined text is unambiguous. */
function marksOf(namespace: string, labels: Readonly<Record<string, string>>): string[] {
  return Object.entries(labels).map(([key, value]) => `${namespace}/${key}=${value.toLowerCase()}`);
}

/**
 * MIC's own pods, which must reach Azure as the node to do anything: of `--MICNamespace`, with the labels that the
 * original's manifests and chart give them. (The original asked for a ReplicaSet named `mic…`, which its chart's is not.)
 */
export function isMic(pod: Pod, micNamespace: string): boolean {
  if (pod.namespace.toLowerCase() !== micNamespace.toLowerCase()) return false;
  const { labels } = pod;
  const plain = labels.component === 'mic' && labels.app === 'mic';
  const chart =
    labels['app.kubernetes.io/component'] === 'mic' &&
    labels['app.kubernetes.io/name'] === 'aad-pod-identity';
  return plain || chart;
}

/** What AKS puts into a cluster itself, by the label of its manifests. Nobody but AKS and the cluster's administrators writes there. */
export function isAksAddOn({ namespace, labels }: Pod): boolean {
  return namespace === 'kube-system' && labels['kubernetes.azure.com/managedby']?.toLowerCase() === 'aks';
}
