import type { NamespaceRule } from '../model/decision.ts';
import { type AzureIdentity, identityTypes } from '../model/identity.ts';
import { byKey } from '../model/order.ts';
import { clean } from '../model/text.ts';
import type { Grant } from './grants.ts';
import type { Problems } from './problem.ts';
import { resourceIdOf } from './resource-id.ts';
import { keyOf, type SeenBinding, type SeenIdentity } from './snapshot.ts';

/** Tells what is wrong with a binding and its identity; true where nothing can be granted for it. */
export function tellGrantProblem(
  binding: SeenBinding,
  identity: SeenIdentity | undefined,
  problems: Problems,
): boolean {
  const ofBinding = { kind: 'AzureIdentityBinding', ...binding } as const;
  if (binding.selector === '' && !binding.podSelector) {
    const message = `AzureIdentityBinding ${keyOf(binding)} selects no pod. Set spec.selector to the value of the pods' label aadpodidbinding, or spec.podSelector.`;
    problems.tell('selector-missing', ofBinding, message);
    return true;
  }
  if (!identity) {
    const message = `AzureIdentityBinding ${keyOf(binding)} names AzureIdentity ${clean(binding.azureIdentity)}, which does not exist in namespace ${binding.namespace}. Create it there.`;
    problems.tell('identity-missing', ofBinding, message);
    return true;
  }
  return tellIdentityProblem(identity, problems);
}

function tellIdentityProblem(identity: SeenIdentity, problems: Problems): boolean {
  const about = { kind: 'AzureIdentity', ...identity } as const;
  const who = `AzureIdentity ${keyOf(identity)}`;
  const known: readonly number[] = Object.values(identityTypes);
  if (!known.includes(identity.type)) {
    const message = `${who} has a spec.type that is none of 0 (managed identity), 1 (service principal with secret) and 2 (service principal with certificate).`;
    problems.tell('type-unsupported', about, message);
    return true;
  }
  if (identity.type !== identityTypes.managedIdentity) return false;
  if (resourceIdOf(identity.resourceId) === undefined) {
    const message = `${who} has spec.resourceID '${clean(identity.resourceId)}', which is not the ARM id of a user-assigned identity. It must read /subscriptions/SUBSCRIPTION/resourcegroups/GROUP/providers/Microsoft.ManagedIdentity/userAssignedIdentities/NAME.`;
    problems.tell('resource-id-invalid', about, message);
    return true;
  }
  if (identity.clientId === '') {
    const message = `${who} has no spec.clientID. It is put on the machines, but no pod gets a token for it until spec.clientID is set.`;
    problems.tell('client-id-missing', about, message);
  }
  return false;
}

/** Tells of identities that name one managed identity by different client ids. */
export function tellShared(grants: readonly Grant[], problems: Problems): void {
  const first = new Map<string, AzureIdentity>();
  for (const { id, identity } of grants.toSorted((a, b) => byKey(a.identity, b.identity))) {
    if (id === undefined || identity.clientId === '') continue;
    const other = first.get(id) ?? identity;
    first.set(id, other);
    if (other.clientId.toLowerCase() === identity.clientId.toLowerCase()) continue;
    const message = `AzureIdentities ${keyOf(other)} and ${keyOf(identity)} have the same spec.resourceID and different spec.clientID. One of the client ids is wrong, and its pods get no token.`;
    problems.tell('client-id-disputed', { kind: 'AzureIdentity', ...identity }, message);
  }
}

const rules = {
  mode: 'MIC runs namespaced (--forceNamespaced): create the identity and its binding in the namespace of the pods',
  annotation: 'it has the annotation aadpodidentity.k8s.io/Behavior: namespaced and is of another namespace',
  allowedNamespaces: 'add the namespace to its spec.allowedNamespaces',
} as const;

/** Tells that a rule keeps an identity from pods that the binding selects. */
export function refusal(
  binding: SeenBinding,
  identity: SeenIdentity,
  {
    namespace,
    rule,
    problems,
  }: { readonly namespace: string; readonly rule: NamespaceRule; readonly problems: Problems },
): void {
  const message = `AzureIdentityBinding ${keyOf(binding)} selects pods of namespace ${namespace}, which may not have AzureIdentity ${keyOf(identity)}: ${rules[rule]}.`;
  problems.tell('identity-refused', { kind: 'AzureIdentityBinding', ...binding }, message);
}
