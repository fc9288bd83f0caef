/** `spec.type` of an AzureIdentity. Anything else in the object is refused when it is asked for. */
export const identityTypes = {
  managedIdentity: 0,
  servicePrincipalSecret: 1,
  servicePrincipalCertificate: 2,
} as const;

/** An AzureIdentity (aadpodidentity.k8s.io/v1), trimmed to what the agent reads. Absent strings are ''. */
export interface AzureIdentity {
  readonly namespace: string;
  readonly name: string;
  readonly type: number;
  readonly clientId: string;
  /** ARM id of the managed identity (type 0). */
  readonly resourceId: string;
  /** Annotation `aadpodidentity.k8s.io/Behavior: namespaced`: for pods of its own namespace only. */
  readonly namespaced: boolean;
  /** When set, for pods of these namespaces only. It never widens what the mode or the annotation allows. */
  readonly allowedNamespaces: readonly string[] | undefined;
}
