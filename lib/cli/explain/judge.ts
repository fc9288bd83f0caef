import type { Decision, TokenRequest } from '../../model/decision.ts';
import { identityTypes } from '../../model/identity.ts';
import { type Pod, podKey } from '../../model/pod.ts';
import { AssignedIdentities, Bindings, Identities } from '../../policy/books.ts';
import { Exceptions } from '../../policy/exceptions.ts';
import { managedCandidates } from '../../policy/managed.ts';
import { Policy } from '../../policy/policy.ts';
import { standardCandidates } from '../../policy/standard.ts';
import { orNone, type Told } from '../told.ts';
import type { Books } from './books.ts';
import { knownMode, type Mode } from './mode.ts';

/** Gives the agent's decision on a request of a pod. */
export type Judge = (pod: Pod, request: TokenRequest) => Told<Decision>;

/**
 * The agent's own policy over these books. `untold` where a book that it reads could not be read, where the mode is a guess, and
 * for an object id that only the identities' tokens could tell.
 */
export function judgeBy(mode: Mode, books: Books): Told<Judge> {
  const { bindings, exceptions, identities, assigned } = books;
  const second = mode.managed ? identities : assigned;
  for (const needed of [bindings, exceptions, second, knownMode(mode)])
    if (needed.kind === 'untold') return needed;
  const policy = policyOver(mode, books);
  return {
    kind: 'told',
    value: (pod, request) => {
      const decision = policy.decide(pod, request);
      const managed = policy.identitiesOf(pod).filter(({ type }) => type === identityTypes.managedIdentity);
      const byObject =
        request.selector?.by === 'object_id' && decision.kind !== 'pass' && decision.kind !== 'allow';
      if (!byObject || managed.length === 0) return { kind: 'told', value: decision };
      const names = managed.map(podKey).join(', ');
      const why = `the agent learns object ids from tokens, and podid asks for none; it would look at those of ${names}`;
      return { kind: 'untold', why };
    },
  };
}

function policyOver(mode: Mode, books: Books): Policy {
  const { namespaced, micNamespace, settings } = mode;
  const aksAddOns = settings.aksAddonException;
  const [exceptions, bindings] = [new Exceptions(), new Bindings()];
  const [identities, assigned] = [new Identities(), new AssignedIdentities()];
  exceptions.replace(orNone(books.exceptions));
  bindings.replace(orNone(books.bindings));
  identities.replace(orNone(books.identities));
  assigned.replace(orNone(books.assigned));
  const candidatesOf = mode.managed
    ? managedCandidates(bindings, identities)
    : standardCandidates(assigned, bindings, { namespaced });
  return new Policy({
    exceptions,
    candidatesOf,
    namespaced,
    micNamespace,
    aksAddOns,
    objectIdOf: () => undefined,
  });
}
