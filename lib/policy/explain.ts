import { bindingLabel } from '../model/binding.ts';
import type { Decision, DenyReason, WaitReason } from '../model/decision.ts';
import type { AzureIdentity } from '../model/identity.ts';
import { type Pod, podKey } from '../model/pod.ts';
import { clean } from '../model/text.ts';

/** The decision in words: what was found, and for a refusal what is missing and how to add it. One or two sentences. */
export function explain(pod: Pod, decision: Decision): string {
  switch (decision.kind) {
    case 'allow':
      return `Pod ${podKey(pod)} may have AzureIdentity ${nameOf(decision.identity)} by AzureIdentityBinding ${clean(decision.binding)}.`;
    case 'pass':
      return `Pod ${podKey(pod)} is excepted by ${clean(decision.exception)} and passes as the node.`;
    case 'wait':
      return delay(pod, decision.why);
    case 'deny':
      return denial(pod, decision.why);
  }
}

function denial(pod: Pod, why: DenyReason): string {
  const { namespace } = pod;
  const who = `Pod ${podKey(pod)}`;
  switch (why.code) {
    case 'no-label':
      return `${who} has no label ${bindingLabel}, and no AzureIdentityBinding selects it otherwise. Add the label with the selector of an AzureIdentityBinding: kubectl label pod ${pod.name} -n ${namespace} ${bindingLabel}=SELECTOR (and in the pod template, to keep it).`;
    case 'no-binding':
      return `${who} has the label ${bindingLabel}=${clean(why.label)}, but no AzureIdentityBinding in namespace ${namespace} has that selector. Create one there with spec.selector: ${clean(why.label)} and spec.azureIdentity naming an AzureIdentity of the same namespace.`;
    case 'not-bound':
      return `${who} is bound to no identity with ${why.selector.by} ${clean(why.selector.value)}. Create an AzureIdentity with it and an AzureIdentityBinding that selects the pod, or ask for an identity that it is bound to.`;
    case 'other-namespace':
      return `${who} may not have AzureIdentity ${nameOf(why.identity)}: ${namespaceRules[why.rule]}.`;
    case 'no-client-id':
      return `AzureIdentity ${nameOf(why.identity)} has no spec.clientID, so it could only be the node's own identity, which is never given to a pod. Set spec.clientID.`;
  }
}

const namespaceRules = {
  mode: 'the agent runs namespaced (--forceNamespaced), so create the identity and its binding in the namespace of the pod',
  annotation: 'it has the annotation aadpodidentity.k8s.io/Behavior: namespaced and is of another namespace',
  allowedNamespaces: 'add the namespace of the pod to its spec.allowedNamespaces',
} as const;

function delay(pod: Pod, why: WaitReason): string {
  const who = `Pod ${podKey(pod)}`;
  switch (why.code) {
    case 'identity-missing':
      return `${who} is bound by AzureIdentityBinding ${clean(why.binding)} to AzureIdentity ${clean(why.azureIdentity)}, which does not exist in namespace ${pod.namespace}. Create it there.`;
    case 'assignment-missing':
      return `AzureIdentityBinding ${clean(why.binding)} selects ${podKey(pod)}, but MIC has not made the assignment yet. If this lasts, see MIC's log.`;
    case 'not-assigned':
      return `AzureIdentity ${clean(why.identity)} is being assigned to the machine of ${podKey(pod)}, which takes Azure up to a minute. If this lasts, see MIC's log and the events of the AzureIdentity.`;
    case 'binding-missing':
      return `${who} has the label ${bindingLabel}=${clean(why.label)}, but no AzureIdentityBinding has that selector yet. Create one in namespace ${pod.namespace} with spec.selector: ${clean(why.label)}.`;
  }
}

function nameOf({ namespace, name }: AzureIdentity): string {
  return `${clean(namespace)}/${clean(name)}`;
}
