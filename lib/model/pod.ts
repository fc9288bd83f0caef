/**
 * What a pod's containers tell about its sandbox. The sandbox and its IP are freed before the API object goes: `ended` is a
 * pod that is finished or being deleted, and none of whose containers runs.
 */
export type PodActivity = 'starting' | 'running' | 'ended';

/** A pod of this node, trimmed to what deciding needs. Source: core/v1 Pod. */
export interface Pod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  /** All of `status.podIPs` in canonical text form; empty until the kubelet reports them. */
  readonly ips: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Shares the node's addresses; its metadata requests never reach us. */
  readonly hostNetwork: boolean;
  readonly phase: string;
  readonly activity: PodActivity;
}

/** `namespace/name`, the way people write it. */
export function podKey(pod: Pick<Pod, 'namespace' | 'name'>): string {
  return `${pod.namespace}/${pod.name}`;
}
