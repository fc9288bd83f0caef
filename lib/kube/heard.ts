import type { DaemonSet, NodeKnown, Ownership } from '../model/ownership.ts';
import { isDeleting, parseDaemonSet, parseNode } from './daemonsets.ts';
import type { Answer } from './get.ts';
import { type OwnPod, ownerIn, type PodOwner } from './own-pod.ts';

type DaemonSetOwner = Extract<PodOwner, { kind: 'daemonset' }>;

/** What the API server has told of our pod, its DaemonSet and its node; `ownership` is what follows from it. */
export class Heard {
  #pod: OwnPod | 'none' | undefined;
  #owner: PodOwner | 'pod-gone' | undefined;
  #daemonset: DaemonSet | 'gone' | undefined;
  /** The status with which the API server refused last, until it tells something again. */
  #refusal: number | undefined;
  #node: NodeKnown = { kind: 'unknown' };
  #namespaceDeleting = false;

  /** Which pod we are: `none` where our credentials name none, undefined until they were read. */
  get pod(): OwnPod | 'none' | undefined {
    return this.#pod;
  }

  /** Undefined while our pod is not known to be of a DaemonSet. */
  get daemonSet(): (DaemonSetOwner & { readonly namespace: string }) | undefined {
    if (this.#pod === undefined || this.#pod === 'none') return undefined;
    if (this.#owner === undefined || this.#owner === 'pod-gone' || this.#owner.kind === 'other')
      return undefined;
    return { namespace: this.#pod.namespace, ...this.#owner };
  }

  iAm(pod: OwnPod | undefined): void {
    this.#pod = pod ?? 'none';
  }

  /** An answer about our pod. One that is deleted by force is gone before its container: its owner is still the one known. */
  ofPod(answer: Answer, pod: OwnPod): void {
    const owner = answer.kind === 'found' ? ownerIn(answer.raw, pod) : undefined;
    if (owner) this.#owner = owner;
    else if (answer.kind === 'found' || answer.kind === 'absent') this.#owner ??= 'pod-gone';
    else if (answer.kind === 'refused' && !this.#owner) this.refused(answer.status);
  }

  /** An answer about the DaemonSet. */
  ofDaemonSet(answer: Answer): void {
    const found = answer.kind === 'found' ? parseDaemonSet(answer.raw) : undefined;
    if (found) this.stands(found);
    if (answer.kind === 'absent') this.stands('gone');
    if (answer.kind === 'refused') this.refused(answer.status);
  }

  stands(daemonset: DaemonSet | 'gone'): void {
    this.#daemonset = daemonset;
    this.#refusal = undefined;
  }

  /** The API server does not let us read the DaemonSet; undefined: it does again. */
  refused(status: number | undefined): void {
    this.#refusal = status;
  }

  ofNode(answer: Answer): void {
    const node = answer.kind === 'found' ? parseNode(answer.raw) : undefined;
    if (node) this.#node = { kind: 'known', node };
    if (answer.kind === 'absent') this.#node = { kind: 'gone' };
  }

  ofNamespace(answer: Answer): void {
    if (answer.kind === 'found') this.#namespaceDeleting = isDeleting(answer.raw);
  }

  ownership(): Ownership {
    if (this.#pod === 'none') return { kind: 'no-pod' };
    if (this.#pod === undefined) return { kind: 'unknown' };
    const pod = `${this.#pod.namespace}/${this.#pod.name}`;
    if (this.#owner === 'pod-gone') return { kind: 'pod-gone', pod };
    if (this.#owner?.kind === 'other') return { kind: 'other-owner', pod, owner: this.#owner.owner };
    return this.#ofOwner(this.#pod.namespace, this.#owner);
  }

  #ofOwner(namespace: string, owner: DaemonSetOwner | undefined): Ownership {
    const daemonset = this.#daemonset;
    if (this.#refusal !== undefined)
      return { kind: daemonset === undefined ? 'unread' : 'refused', status: this.#refusal };
    if (!owner || daemonset === undefined) return { kind: 'unknown' };
    const key = `${namespace}/${owner.name}`;
    if (daemonset === 'gone') return { kind: 'gone', daemonset: key };
    if (daemonset.uid !== owner.uid) return { kind: 'replaced', daemonset: key };
    return { kind: 'found', daemonset, namespaceDeleting: this.#namespaceDeleting, node: this.#node };
  }
}
