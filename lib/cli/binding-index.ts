import { type AzureIdentityBinding, bindingLabel } from '../model/binding.ts';
import { bindingSelects, placesFor, placesOf, type Selectable } from '../model/selection.ts';

/** Bindings by what they select: of 5,000 of them and 20,000 pods, no pod is held against every binding. */
export class BindingIndex {
  readonly #anyNamespace: boolean;
  readonly #byPlace = new Map<string, AzureIdentityBinding[]>();

  /** `namespaced`: a label counts for bindings of the pod's own namespace only. */
  constructor(bindings: Iterable<AzureIdentityBinding>, { namespaced }: { readonly namespaced: boolean }) {
    this.#anyNamespace = !namespaced;
    for (const binding of bindings) {
      for (const place of placesOf(binding)) {
        const same = this.#byPlace.get(place);
        if (same) same.push(binding);
        else this.#byPlace.set(place, [binding]);
      }
    }
  }

  /** Whether any binding selects the pod. */
  hasFor(pod: Selectable): boolean {
    return placesFor(pod, this.#anyNamespace).some((place) =>
      this.#byPlace.get(place)?.some((binding) => bindingSelects(binding, pod, this.#anyNamespace)),
    );
  }

  /** Whether the pod is meant to have an identity: it carries the label, or a binding selects it otherwise. */
  wants(pod: Selectable): boolean {
    return Boolean(pod.labels[bindingLabel]) || this.hasFor(pod);
  }

  /** Of these bindings, those that select none of the pods. One that could select nobody is not among them. */
  idle<T extends AzureIdentityBinding>(bindings: readonly T[], pods: Iterable<Selectable>): readonly T[] {
    const asked = new Set<string>();
    const kinds = new Map<string, Set<Selectable['labels']>>();
    for (const { namespace, labels } of pods) {
      for (const place of placesFor({ namespace, labels }, this.#anyNamespace)) asked.add(place);
      const near = kinds.get(namespace) ?? new Set();
      // Pods of one Deployment share one object: see the interner of whoever reads them.
      kinds.set(namespace, near.add(labels));
    }
    return bindings.filter((binding) => {
      const places = placesOf(binding);
      if (!binding.podSelector) return places.length > 0 && !places.some((place) => asked.has(place));
      const { namespace } = binding;
      const near = [...(kinds.get(namespace) ?? [])];
      return !near.some((labels) => bindingSelects(binding, { namespace, labels }, this.#anyNamespace));
    });
  }
}
