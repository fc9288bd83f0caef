import type { LabelSelector } from './label-selector.ts';

/** The pod label whose value a binding's `selector` must equal. */
export const bindingLabel = 'aadpodidbinding';

/** An AzureIdentityBinding (aadpodidentity.k8s.io/v1). Absent strings are ''. */
export interface AzureIdentityBinding {
  readonly namespace: string;
  readonly name: string;
  /** Name of an AzureIdentity in the binding's own namespace. */
  readonly azureIdentity: string;
  /** Exact, case-sensitive value of the pod's `aadpodidbinding` label; '' selects nothing. */
  readonly selector: string;
  /**
   * Selects pods of the binding's own namespace by any of their labels, instead of `selector`; beside it, both must
   * select.
   */
  readonly podSelector: LabelSelector | undefined;
  /** Decides when a request names no identity: the highest wins. Absent is 0. */
  readonly weight: number;
}
