import { bindingLabel } from '../model/binding.ts';
import type { Bindings, Identities } from './books.ts';
import type { Candidate, CandidatesOf, Expected } from './candidates.ts';

/** Managed mode: what bindings and identities of the pod's own namespace say. Azure's side is the user's. */
export function managedCandidates(bindings: Bindings, identities: Identities): CandidatesOf {
  return (pod) => {
    const ready: Candidate[] = [];
    const expected: Expected[] = [];
    for (const { namespace, name, azureIdentity, weight } of bindings.selecting(pod, false)) {
      const identity = identities.get(`${namespace}/${azureIdentity}`);
      if (identity) ready.push({ identity, binding: name, weight });
      else expected.push({ why: { code: 'identity-missing', binding: name, azureIdentity } });
    }
    const label = pod.labels[bindingLabel] ?? '';
    return { ready, expected, none: label === '' ? { code: 'no-label' } : { code: 'no-binding', label } };
  };
}
