/** `spec.type` of an AzureIdentity. Anything else in the object is refused when it is asked for. */
export const identityTypes = {
  managedIdentity: 0,
  servicePrincipalSecret: 1,
  servicePrincipalCertificate: 2,
} as const;

/** `spec.type` in words; a number that is none of them as it is. */
export function typeWords(type: number): string {
  return words[type] ?? `type ${type}`;
}

const words: Readonly<Record<number, string>> = {
  [identityTypes.managedIdentity]: 'managed identity',
  [identityTypes.servicePrincipalSecret]: 'service principal, secret',
  [identityTypes.servicePrincipalCertificate]: 'service principal, certificate',
};

/** What an AzureIdentity of type 1 or 2 says of its service principal, as it stands there: nothing of it is checked yet. */
export interface ServicePrincipal {
  /** GUID or domain of its tenant. */
  readonly tenantId: string;
  /** Whom to ask for its tokens, as a URL; '' for the public cloud. */
  readonly adEndpoint: string;
  /** Further tenants to get a token of, for type 1. */
  readonly auxiliaryTenantIds: readonly string[];
  /** `clientPassword`: the Secret with its credential; in the identity's own namespace when none is named. */
  readonly secret: { readonly namespace: string; readonly name: string };
}

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
  /** For types 1 and 2 alone. */
  readonly servicePrincipal?: ServicePrincipal;
}
