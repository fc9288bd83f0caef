/**
 * An AzurePodIdentityException (aadpodidentity.k8s.io/v1): pods of its namespace with one of the labels are excepted, or
 * only those with all of them where it carries the annotation `aadpodidentity.k8s.io/match: all`.
 */
export interface AzurePodIdentityException {
  readonly namespace: string;
  readonly name: string;
  readonly podLabels: Readonly<Record<string, string>>;
  readonly matchAll: boolean;
}
