import type { AzureAssignedIdentity } from '../model/assigned-identity.ts';
import type { AzureIdentityBinding } from '../model/binding.ts';
import type { AzureIdentity } from '../model/identity.ts';
import { byKey } from '../model/order.ts';
import { type Pod, podKey } from '../model/pod.ts';
import { bindingSelects, placesFor, placesOf } from '../model/selection.ts';
import { Shelf } from './shelf.ts';

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
    super(placesOf);
  }

  /** Those that select this pod, by name: of its own namespace, or by the label from any (`anyNamespace`). */
  selecting(pod: Pod, anyNamespace: boolean): AzureIdentityBinding[] {
    return placesFor(pod, anyNamespace)
      .flatMap((place) => [...this.at(place)])
      .filter((binding) => bindingSelects(binding, pod, anyNamespace))
      .sort(byKey);
  }
}
