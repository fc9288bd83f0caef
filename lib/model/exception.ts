/** An AzurePodIdentityException (aadpodidentity.k8s.io/v1): pods of its namespace with one of the labels are excepted. */
export interface AzurePodIdentityException {
  readonly namespace: string;
  readonly name: string;
  readonly podLabels: Readonly<Record<string, string>>;
}
