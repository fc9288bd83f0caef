import type { AzureAssignedIdentity } from '../model/assigned-identity.ts';
import { bindingLabel } from '../model/binding.ts';
import type { AssignedIdentities, Bindings } from './books.ts';
import type { Candidate, CandidatesOf, Expected } from './candidates.ts';

/**
 * Standard mode: MIC's assignments say what a pod may have. Bindings are read beside them only to tell what is on its way
 * from what will never come.
 */
export function standardCandidates(
  assigned: AssignedIdentities,
  bindings: Bindings,
  { namespaced }: { readonly namespaced: boolean },
): CandidatesOf {
  return (pod) => {
    const own = assigned.of(pod).filter(({ state }) => state !== 'Unassigned');
    const made = new Set(own.map(({ binding }) => `${binding.namespace}/${binding.name}`));
    const selecting = bindings.selecting(pod, !namespaced);
    const due = selecting.filter(({ namespace, name }) => !made.has(`${namespace}/${name}`));
    const label = pod.labels[bindingLabel] ?? '';
    const unheard = label !== '' && selecting.length === 0 && own.length === 0;
    return {
      ready: own.filter(({ state }) => state !== 'Created').map(candidate),
      expected: [
        ...own.filter(({ state }) => state === 'Created').map(inAzure),
        ...due.map(({ name }): Expected => ({ why: { code: 'assignment-missing', binding: name } })),
        ...(unheard ? [{ why: { code: 'binding-missing', label } as const }] : []),
      ],
      none: label === '' ? { code: 'no-label' } : { code: 'no-binding', label },
    };
  };
}

function candidate({ identity, binding }: AzureAssignedIdentity): Candidate {
  return { identity, binding: binding.name, weight: binding.weight };
}

function inAzure({ identity }: AzureAssignedIdentity): Expected {
  return { why: { code: 'not-assigned', identity: identity.name }, identity };
}
