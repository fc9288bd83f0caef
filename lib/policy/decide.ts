import { type AzureIdentityBinding, bindingLabel } from '../model/binding.ts';
import type { Decision, DenyReason, IdentitySelector, TokenRequest } from '../model/decision.ts';
import { type AzureIdentity, identityTypes } from '../model/identity.ts';
import type { Pod } from '../model/pod.ts';

/** What deciding reads. */
export interface Books {
  readonly exceptions: { covering(pod: Pod): string | undefined };
  readonly bindings: { selecting(namespace: string, label: string): readonly AzureIdentityBinding[] };
  readonly identities: { get(namespace: string, name: string): AzureIdentity | undefined };
}

type Bound = { readonly binding: AzureIdentityBinding; readonly identity: AzureIdentity };

/**
 * May this pod have what it asks for? Managed mode: bindings and identities of the pod's own namespace count, no others.
 * Pure: the same books and request always give the same decision.
 */
export function decide(pod: Pod, request: TokenRequest, books: Books): Decision {
  const exception = books.exceptions.covering(pod);
  if (exception !== undefined) return { kind: 'pass', exception };
  const label = pod.labels[bindingLabel] ?? '';
  if (label === '') return deny({ code: 'no-label' });
  const bindings = books.bindings.selecting(pod.namespace, label);
  if (bindings.length === 0) return deny({ code: 'no-binding', label });
  const bound = bindings.flatMap((binding): Bound[] => {
    const identity = books.identities.get(binding.namespace, binding.azureIdentity);
    return identity ? [{ binding, identity }] : [];
  });
  const { selector } = request;
  const named = selector ? bound.filter(({ identity }) => matches(identity, selector)) : bound;
  const [first] = named.toSorted(byWeightThenName);
  if (first) return allow(first);
  if (selector && bound.length > 0) return deny({ code: 'not-bound', selector });
  return deny({ code: 'no-identity', bindings: bindings.toSorted((a, b) => compare(a.name, b.name)) });
}

function allow({ binding, identity }: Bound): Decision {
  // The original left the parameter out, and the pod got the node's own identity.
  if (identity.type === identityTypes.managedIdentity && identity.clientId === '') {
    return deny({ code: 'no-client-id', identity: identity.name });
  }
  return { kind: 'allow', identity, binding: binding.name };
}

/** GUIDs and ARM ids are equal in any letter case. An identity without such an id is named by nothing, not by ''. */
function matches(identity: AzureIdentity, { by, value }: IdentitySelector): boolean {
  if (by === 'object_id') return false; // none are known
  const own = by === 'client_id' ? identity.clientId : identity.resourceId;
  return own !== '' && own.toLowerCase() === value.toLowerCase();
}

/** The original picked at random when a request named none. */
function byWeightThenName(a: Bound, b: Bound): number {
  if (a.binding.weight !== b.binding.weight) return b.binding.weight - a.binding.weight;
  return compare(a.identity.name, b.identity.name) || compare(a.binding.name, b.binding.name);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function deny(why: DenyReason): Decision {
  return { kind: 'deny', why };
}
