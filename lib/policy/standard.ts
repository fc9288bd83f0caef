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
    const label = pod.labels[bindingLabel] ?? '';
    const own = assigned
      .of(pod)
      .filter(({ state }) => state !== 'Unassigned')
      .filter((assignment) => isMics(assignment) && stillSelects(assignment, label));
    const made = new Set(own.map(({ binding }) => `${binding.namespace}/${binding.name}`));
    const selecting = bindings.selecting(pod, !namespaced);
    const due = selecting.filter(({ namespace, name }) => !made.has(`${namespace}/${name}`));
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

/**
 * MIC writes assignments to namespace `default`, or, namespaced, to that of the identity and the pod. Anywhere else they are
 * the work of somebody who may write there and would give himself the identities of others.
 */
function isMics({ namespace, podNamespace, identity }: AzureAssignedIdentity): boolean {
  return namespace === 'default' || (namespace === podNamespace && namespace === identity.namespace);
}

/** A pod that came back under its name without the label is not the one that the assignment was made for. */
function stillSelects({ binding }: AzureAssignedIdentity, label: string): boolean {
  return binding.selector === '' || binding.selector === label;
}

function candidate({ identity, binding }: AzureAssignedIdentity): Candidate {
  return { identity, binding: binding.name, weight: binding.weight };
}

function inAzure({ identity }: AzureAssignedIdentity): Expected {
  return { why: { code: 'not-assigned', identity: identity.name }, identity };
}
