import type { NodeLabels, NodeSelector } from './node-selector.ts';

/** A DaemonSet, trimmed to where it wants pods. Source: apps/v1 DaemonSet. */
export interface DaemonSet {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** It is marked for deletion, and stays only until its pods or finalizers are gone. */
  readonly deleting: boolean;
  /** Where its pods may run; undefined where that has a form that we do not know. */
  readonly selector: NodeSelector | undefined;
}

/** `gone`: no such node is registered any more. `unknown`: not read, or no right to. */
export type NodeKnown =
  | { readonly kind: 'known'; readonly node: NodeLabels }
  | { readonly kind: 'gone' }
  | { readonly kind: 'unknown' };

/** What is known of the DaemonSet that brings this agent's pod back. Names are `namespace/name`. */
export type Ownership =
  /** Our credentials name no pod. */
  | { readonly kind: 'no-pod' }
  /** Our pod is not there, and was not when we first asked whose it is. */
  | { readonly kind: 'pod-gone'; readonly pod: string }
  /** Our pod is another object's, such as `Job backup`, or nobody's. */
  | { readonly kind: 'other-owner'; readonly pod: string; readonly owner: string | undefined }
  /** No answer so far. */
  | { readonly kind: 'unknown' }
  /** The API server refuses to tell (401 or 403), and always has. */
  | { readonly kind: 'unread'; readonly status: number }
  /** The API server refuses to tell (401 or 403) what it has told before. */
  | { readonly kind: 'refused'; readonly status: number }
  /** It is not there. */
  | { readonly kind: 'gone'; readonly daemonset: string }
  /** Another one has its name: our pod is not of that one. */
  | { readonly kind: 'replaced'; readonly daemonset: string }
  | {
      readonly kind: 'found';
      readonly daemonset: DaemonSet;
      /** Its namespace is being deleted, and with it whatever is in there. */
      readonly namespaceDeleting: boolean;
      readonly node: NodeKnown;
    };
