import { bindingLabel } from '../model/binding.ts';
import type { Decision, DenyReason } from '../model/decision.ts';
import { type Pod, podKey } from '../model/pod.ts';
import { clean } from '../model/text.ts';

/** The decision in words: what was found, and for a denial what is missing and how to add it. One or two sentences. */
export function explain(pod: Pod, decision: Decision): string {
  if (decision.kind === 'allow') {
    return `Pod ${podKey(pod)} may have AzureIdentity ${clean(decision.identity.name)} by AzureIdentityBinding ${clean(decision.binding)}.`;
  }
  if (decision.kind === 'pass') {
    return `Pod ${podKey(pod)} is excepted by AzurePodIdentityException ${clean(decision.exception)} and passes as the node.`;
  }
  return denial(pod, decision.why);
}

function denial(pod: Pod, why: DenyReason): string {
  const { namespace } = pod;
  const who = `Pod ${podKey(pod)}`;
  switch (why.code) {
    case 'no-label':
      return `${who} has no label ${bindingLabel}. Add it with the selector of an AzureIdentityBinding in namespace ${namespace}: kubectl label pod ${pod.name} -n ${namespace} ${bindingLabel}=SELECTOR (and in the pod template, to keep it).`;
    case 'no-binding':
      return `${who} has the label ${bindingLabel}=${clean(why.label)}, but no AzureIdentityBinding in namespace ${namespace} has that selector. Create one there with spec.selector: ${clean(why.label)} and spec.azureIdentity naming an AzureIdentity of the same namespace.`;
    case 'no-identity': {
      const names = why.bindings.map(
        ({ name, azureIdentity }) => `${clean(name)} to ${clean(azureIdentity)}`,
      );
      return `${who} is bound (${clean(names.join(', '))}), but there is no such AzureIdentity in namespace ${namespace}. Create it there.`;
    }
    case 'not-bound':
      return `${who} is bound to no identity with ${why.selector.by} ${clean(why.selector.value)}. Create an AzureIdentity with it and an AzureIdentityBinding that selects the pod, in namespace ${namespace}, or ask for an identity that it is bound to.`;
    case 'no-client-id':
      return `AzureIdentity ${namespace}/${clean(why.identity)} has no spec.clientID, so it could only be the node's own identity, which is never given to a pod. Set spec.clientID.`;
  }
}
