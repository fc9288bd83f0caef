import { type AzureIdentityBinding, bindingLabel } from './binding.ts';
import type { NamespaceRule } from './decision.ts';
import type { AzureIdentity } from './identity.ts';
import { selects } from './label-selector.ts';
import type { Pod } from './pod.ts';

/** What bindings see of a pod. */
export type Selectable = Pick<Pod, 'namespace' | 'labels'>;

/**
 * Whether the binding selects the pod: by the label, from the pod's own namespace or from any (`anyNamespace`), or, with a
 * podSelector, in its own namespace alone. One that has neither selects nothing; in the original's managed mode an empty
 * selector selected every pod without the label.
 */
export function bindingSelects(
  { namespace, selector, podSelector }: AzureIdentityBinding,
  pod: Selectable,
  anyNamespace: boolean,
): boolean {
  const near = namespace === pod.namespace;
  const label = pod.labels[bindingLabel] ?? '';
  if (!podSelector) return selector !== '' && selector === label && (near || anyNamespace);
  return near && (selector === '' || selector === label) && selects(podSelector, pod.labels);
}

/** Where an index keeps a binding. Namespaces and labels hold no such characters, so the places are unambiguous. */
export function placesOf({ namespace, selector, podSelector }: AzureIdentityBinding): readonly string[] {
  if (podSelector) return [`pods ${namespace}`];
  return selector === '' ? [] : [`label ${namespace}/${selector}`, `label */${selector}`];
}

/** Where an index finds all bindings that may select the pod, and few others. */
export function placesFor(pod: Selectable, anyNamespace: boolean): readonly string[] {
  const label = pod.labels[bindingLabel] ?? '';
  const byPod = `pods ${pod.namespace}`;
  return label === '' ? [byPod] : [`label ${anyNamespace ? '*' : pod.namespace}/${label}`, byPod];
}

/** The rule that keeps the identity from pods of this namespace, if any. `namespaced`: `--forceNamespaced`, managed mode. */
export function keptFrom(
  identity: Pick<AzureIdentity, 'namespace' | 'namespaced' | 'allowedNamespaces'>,
  podNamespace: string,
  namespaced: boolean,
): NamespaceRule | undefined {
  if (identity.namespace !== podNamespace) {
    if (namespaced) return 'mode';
    if (identity.namespaced) return 'annotation';
  }
  return identity.allowedNamespaces?.includes(podNamespace) === false ? 'allowedNamespaces' : undefined;
}
