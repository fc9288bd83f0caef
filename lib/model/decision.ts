import type { AzureIdentity } from './identity.ts';
import type { Pod } from './pod.ts';

/** Which identity a token request names, if any. `msi_res_id`, `mi_res_id` and `msi-res-id` are one kind. */
export interface IdentitySelector {
  readonly by: 'client_id' | 'resource_id' | 'object_id';
  readonly value: string;
}

/** A token request once it is read: what for (`resource`, byte for byte) and as whom. */
export interface TokenRequest {
  readonly resource: string;
  readonly selector?: IdentitySelector;
}

/** Why a pod may not have a token. Each reason carries what a sentence about its cure needs. */
export type DenyReason =
  | { readonly code: 'no-label' }
  | { readonly code: 'no-binding'; readonly label: string }
  | { readonly code: 'not-bound'; readonly selector: IdentitySelector }
  | { readonly code: 'other-namespace'; readonly identity: AzureIdentity; readonly rule: NamespaceRule }
  | { readonly code: 'no-client-id'; readonly identity: AzureIdentity };

/** Which rule keeps an identity from a pod of another namespace. */
export type NamespaceRule = 'mode' | 'annotation' | 'allowedNamespaces';

/** What a pod must wait for: it is on its way, as far as anybody can tell. */
export type WaitReason =
  /** A binding names an AzureIdentity that is not there. */
  | { readonly code: 'identity-missing'; readonly binding: string; readonly azureIdentity: string }
  /** A binding selects the pod, and MIC has not made the assignment. */
  | { readonly code: 'assignment-missing'; readonly binding: string }
  /** The assignment is made, and Azure is not done. */
  | { readonly code: 'not-assigned'; readonly identity: string }
  /** The pod carries the label, and no binding has that selector. */
  | { readonly code: 'binding-missing'; readonly label: string };

/** What policy says of one request of one pod. An error is never a decision. */
export type Decision =
  | { readonly kind: 'allow'; readonly identity: AzureIdentity; readonly binding: string }
  | { readonly kind: 'pass'; readonly exception: string }
  | { readonly kind: 'wait'; readonly why: WaitReason }
  | { readonly kind: 'deny'; readonly why: DenyReason };

/** Who sent a request. `not-synced`: the caches are still filling; `unsettled`: more than one pod claims the IP. */
export type Caller =
  | { readonly kind: 'pod'; readonly pod: Pod }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unsettled' }
  | { readonly kind: 'not-synced' };
