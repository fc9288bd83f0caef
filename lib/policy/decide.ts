import type {
  Decision,
  DenyReason,
  IdentitySelector,
  NamespaceRule,
  TokenRequest,
} from '../model/decision.ts';
import { type AzureIdentity, identityTypes } from '../model/identity.ts';
import { byKey, compare } from '../model/order.ts';
import type { Pod } from '../model/pod.ts';
import { keptFrom } from '../model/selection.ts';
import type { Candidate, CandidatesOf } from './candidates.ts';

/** What deciding reads. */
export interface Books {
  readonly candidatesOf: CandidatesOf;
  /** The object id of a managed identity, as far as its tokens have told. */
  readonly objectIdOf: (identity: AzureIdentity) => string | undefined;
  /** Identities serve pods of their own namespace only. */
  readonly namespaced: boolean;
}

/** A decision about the pod's own identities. */
export type OwnDecision = Exclude<Decision, { kind: 'pass' }>;

/** May this pod have what it asks for? Pure: the same books and request always give the same decision. */
export function decide(pod: Pod, { selector }: TokenRequest, books: Books): OwnDecision {
  const { ready, expected, none } = books.candidatesOf(pod);
  const isAsked = (identity: AzureIdentity): boolean => !selector || matches(identity, selector, books);
  const asked = ready.filter(({ identity }) => isAsked(identity)).toSorted(byWeightThenName);
  const first = asked.find(({ identity }) => !refusal(identity, pod, books));
  if (first) return allow(first);
  const coming = expected.filter(({ identity }) => !identity || isAsked(identity));
  // What no rule will let the pod have is not worth waiting for.
  const awaited = coming.find(({ identity }) => !identity || !refusal(identity, pod, books));
  if (awaited) return { kind: 'wait', why: awaited.why };
  for (const { identity } of [...asked, ...coming]) {
    const rule = identity && refusal(identity, pod, books);
    if (rule) return deny({ code: 'other-namespace', identity, rule });
  }
  return deny(selector && ready.length + expected.length > 0 ? { code: 'not-bound', selector } : none);
}

/** The identities that this pod may have as things stand, whatever it asks for. */
export function permitted(pod: Pod, books: Books): readonly AzureIdentity[] {
  const identities = books.candidatesOf(pod).ready.map(({ identity }) => identity);
  return identities.filter((identity) => !refusal(identity, pod, books) && !isNobody(identity));
}

function allow({ binding, identity }: Candidate): OwnDecision {
  return isNobody(identity) ? deny({ code: 'no-client-id', identity }) : { kind: 'allow', identity, binding };
}

/** The original left the parameter out, and the pod got the node's own identity. */
function isNobody({ type, clientId }: AzureIdentity): boolean {
  return type === identityTypes.managedIdentity && clientId === '';
}

/** The rule that keeps the identity from this pod, if any. */
function refusal(identity: AzureIdentity, pod: Pod, { namespaced }: Books): NamespaceRule | undefined {
  return keptFrom(identity, pod.namespace, namespaced);
}

/** GUIDs and ARM ids are equal in any letter case. An identity without such an id is named by nothing, not by ''. */
function matches(identity: AzureIdentity, { by, value }: IdentitySelector, books: Books): boolean {
  const own = {
    client_id: () => identity.clientId,
    resource_id: () => identity.resourceId,
    object_id: () => books.objectIdOf(identity) ?? '',
  }[by]();
  return own !== '' && own.toLowerCase() === value.toLowerCase();
}

/** The original picked at random when a request named none. */
function byWeightThenName(a: Candidate, b: Candidate): number {
  return b.weight - a.weight || byKey(a.identity, b.identity) || compare(a.binding, b.binding);
}

function deny(why: DenyReason): OwnDecision {
  return { kind: 'deny', why };
}
