import { addresses, podAddress } from './addresses.ts';
import type { KubeClient } from './kube/client.ts';
import { nodeOf, plugPod, podOf, unplugPod } from './network.ts';
import { podObject } from './objects.ts';
import { type PodState, readState, writeState } from './state.ts';

export interface PodOptions {
  /** Unique in the lab, also across namespaces. */
  readonly name: string;
  /** `default` unless said. */
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Shares the node's network and address, as a pod with hostNetwork does. */
  readonly hostNetwork?: boolean;
  /** One of the lab's pod addresses that no pod's network has now; the next free one unless said. */
  readonly ip?: string;
}

/** The pods of a lab: each a network namespace and an object in the API. */
export class Pods {
  readonly #id: string;
  readonly #kube: KubeClient;
  readonly #pods = new Map<string, PodState>();
  /** Addresses are not given out again unasked, so that a log names one pod only. */
  #next: number = addresses.firstPod;

  constructor(id: string, kube: KubeClient) {
    this.#id = id;
    this.#kube = kube;
  }

  async add({
    name,
    namespace = 'default',
    labels = {},
    hostNetwork = false,
    ip = hostNetwork ? addresses.node : this.#freeAddress(),
  }: PodOptions): Promise<PodState> {
    if (this.#pods.has(name)) throw new Error(`the lab has a pod ${name} already`);
    const pod: PodState = { name, namespace, ip, hostNetwork };
    this.#pods.set(name, pod);
    if (!hostNetwork) plugPod(this.#id, name, Number(ip.split('.')[3]));
    await this.#kube.apply(podObject(pod, labels));
    this.#record();
    return pod;
  }

  async remove(name: string): Promise<void> {
    const pod = this.#pods.get(name);
    if (!pod) throw new Error(`the lab has no pod ${name}`);
    await this.#kube.delete('Pod', name, { namespace: pod.namespace, gracePeriodSeconds: 0 });
    if (!pod.hostNetwork) unplugPod(this.#id, name);
    this.#pods.delete(name);
    this.#record();
  }

  /** Throws when there is no such pod. */
  namespaceOf(name: string): string {
    const pod = this.#pods.get(name);
    if (!pod) throw new Error(`the lab has no pod ${name}`);
    return pod.hostNetwork ? nodeOf(this.#id) : podOf(this.#id, name);
  }

  #freeAddress(): string {
    if (this.#next > addresses.lastPod) throw new Error('the lab has no address left for another pod');
    this.#next += 1;
    return podAddress(this.#next - 1);
  }

  #record(): void {
    const state = readState(this.#id);
    if (state) writeState({ ...state, pods: [...this.#pods.values()] });
  }
}
