import type { AzureAssignedIdentity } from '../model/assigned-identity.ts';
import { type AzureIdentityBinding, bindingLabel } from '../model/binding.ts';
import type { AzureIdentity } from '../model/identity.ts';
import { selects } from '../model/label-selector.ts';
import { type Pod, podKey } from '../model/pod.ts';
import { byKey, Shelf } from './shelf.ts';

/** AzureIdentities. */
export class Identities extends Shelf<AzureIdentity> {
  constructor() {
    super(() => []);
  }
}

/** AzureAssignedIdentities by the pod that they are for. */
export class AssignedIdentities extends Shelf<AzureAssignedIdentity> {
  constructor() {
    super((assigned) => [`${assigned.podNamespace}/${assigned.pod}`]);
  }

  /** Those for this pod on its node, by name. Another node's are for a pod of the same name that was there before. */
  of(pod: Pod): AzureAssignedIdentity[] {
    return [...this.at(podKey(pod))].filter(({ node }) => node === '' || node === pod.node).sort(byKey);
  }
}

/** AzureIdentityBindings by what they select. */
export class Bindings extends Shelf<AzureIdentityBinding> {
  constructor() {
    // Namespaces and labels hold no such characters, so the places are unambiguous. A binding that has neither selector
    // selects nothing; in the original's managed mode an empty one selected every pod without the label.
    super(({ namespace, selector, podSelector }) => {
      if (podSelector) return [`pods ${namespace}`];
      return selector === '' ? [] : [`label ${namespace}/${selector}`, `label */${selector}`];
    });
  }

  /** Those that select this pod, by name: of its own namespace, or by the label from any (`anyNamespace`). */
  selecting(pod: Pod, anyNamespace: boolean): AzureIdentityBinding[] {
    const label = pod.labels[bindingLabel] ?? '';
    const byLabel = label === '' ? [] : this.at(`label ${anyNamespace ? '*' : pod.namespace}/${label}`);
    const byPod = [...this.at(`pods ${pod.namespace}`)].filter(
      ({ selector, podSelector }) =>
        podSelector && selects(podSelector, pod.labels) && (selector === '' || selector === label),
    );
    return [...byLabel, ...byPod].sort(byKey);
  }
}
