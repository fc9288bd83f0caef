import { bindingLabel } from '../model/binding.ts';
import { identityTypes } from '../model/identity.ts';
import { byKey } from '../model/order.ts';
import { bindingSelects, keptFrom, placesFor, placesOf } from '../model/selection.ts';
import { refusal, tellGrantProblem, tellShared } from './grant-problems.ts';
import type { Problems } from './problem.ts';
import { type ResourceId, resourceIdOf } from './resource-id.ts';
import { keyOf, type MicPod, type SeenBinding, type SeenIdentity, type Snapshot } from './snapshot.ts';

/** A binding with its identity, sound as far as MIC can tell. */
export interface Grant {
  readonly binding: SeenBinding;
  readonly identity: SeenIdentity;
  /** Undefined for a service principal, of which Azure's machines know nothing. */
  readonly id: ResourceId | undefined;
  /** Where its assignments are: `default`, or namespaced the identity's own. */
  readonly objectNamespace: string;
}

export interface GrantsOptions {
  /** `--forceNamespaced`. */
  readonly namespaced: boolean;
  readonly problems: Problems;
}

const nothing: readonly Grant[] = [];

/**
 * Identities of one pod. Each takes an object with copies of binding and identity, so that a tenant with a hundred pods and a
 * thousand bindings would fill etcd.
 */
const mostPerPod = 100;

/** Which identities the bindings give to which pods, by the rules that NMI goes by (lib/model/selection.ts). */
export class Grants {
  readonly #namespaced: boolean;
  readonly #problems: Problems;
  readonly #byPlace = new Map<string, Grant[]>();
  /** Of pods that the label alone decides about, by namespace and label: the same for all that are made of one template. */
  readonly #byLabel = new Map<string, readonly Grant[]>();
  readonly #clientIds = new Map<ResourceId, string | undefined>();
  readonly #owners = new Map<ResourceId, Set<string>>();

  constructor(
    { bindings, identities }: Pick<Snapshot, 'bindings' | 'identities'>,
    { namespaced, problems }: GrantsOptions,
  ) {
    this.#namespaced = namespaced;
    this.#problems = problems;
    const byName = new Map([...identities].map((identity) => [keyOf(identity), identity]));
    for (const binding of [...bindings].sort(byKey)) {
      const identity = byName.get(`${binding.namespace}/${binding.azureIdentity}`);
      if (!tellGrantProblem(binding, identity, problems) && identity) this.#keep(binding, identity);
    }
    tellShared([...this.#byPlace.values()].flat(), problems);
  }

  /** What the pod is to have, one grant for each name of an assignment. */
  of(pod: MicPod): readonly Grant[] {
    const label = pod.labels[bindingLabel] ?? '';
    if (this.#byPlace.has(`pods ${pod.namespace}`)) return this.#find(pod);
    if (label === '') return nothing;
    const key = `${pod.namespace}/${label}`;
    const known = this.#byLabel.get(key);
    if (known) return known;
    const found = this.#find(pod);
    this.#byLabel.set(key, found);
    return found;
  }

  /** Whether some binding names the identity. */
  isNamed(id: ResourceId): boolean {
    return this.#clientIds.has(id);
  }

  /** In lower case; undefined where no identity tells, or they disagree. */
  clientIdOf(id: ResourceId): string | undefined {
    return this.#clientIds.get(id);
  }

  /** Namespaces of the identities that name it, in no order. */
  ownersOf(id: ResourceId): readonly string[] {
    return [...(this.#owners.get(id) ?? [])];
  }

  #keep(binding: SeenBinding, identity: SeenIdentity): void {
    const { type, resourceId } = identity;
    const id = type === identityTypes.managedIdentity ? resourceIdOf(resourceId) : undefined;
    const apart = this.#namespaced || identity.namespaced;
    const grant = { binding, identity, id, objectNamespace: apart ? identity.namespace : 'default' };
    for (const place of placesOf(binding)) {
      const same = this.#byPlace.get(place);
      if (same) same.push(grant);
      else this.#byPlace.set(place, [grant]);
    }
    if (id === undefined) return;
    const owners = this.#owners.get(id) ?? new Set();
    this.#owners.set(id, owners.add(identity.namespace));
    const clientId = identity.clientId.toLowerCase() || undefined;
    const disputed = this.#clientIds.has(id) && this.#clientIds.get(id) !== clientId;
    this.#clientIds.set(id, disputed ? undefined : clientId);
  }

  #find(pod: MicPod): readonly Grant[] {
    const anyNamespace = !this.#namespaced;
    const selecting = placesFor(pod, anyNamespace)
      .flatMap((place) => this.#byPlace.get(place) ?? nothing)
      .filter(({ binding }) => bindingSelects(binding, pod, anyNamespace));
    const free = selecting.filter(({ binding, identity }) => {
      const rule = keptFrom(identity, pod.namespace, this.#namespaced);
      if (rule) refusal(binding, identity, { namespace: pod.namespace, rule, problems: this.#problems });
      return !rule;
    });
    return free.length < 2 ? free : this.#asManyAsMayBe(pod, this.#onePerName(pod, free));
  }

  /** Bindings of the pod's own namespace come first: others may not crowd them out. */
  #asManyAsMayBe(pod: MicPod, grants: readonly Grant[]): readonly Grant[] {
    if (grants.length <= mostPerPod) return grants;
    const { namespace } = pod;
    const near = grants.filter(({ binding }) => binding.namespace === namespace);
    const far = grants.filter(({ binding }) => binding.namespace !== namespace);
    const message = `Pod ${keyOf(pod)} is bound to ${grants.length} AzureIdentities and gets ${mostPerPod} of them, those of its own namespace's bindings first. Bind it to fewer.`;
    this.#problems.tell('identities-too-many', { kind: 'Pod', ...pod }, message);
    return [...near, ...far].slice(0, mostPerPod);
  }

  /**
   * Identities of one name from two namespaces would have one name of the assignment too: the first binding by namespace and
   * name decides, as in the original. Of several that give the same identity the heaviest counts, as it does for NMI.
   */
  #onePerName(pod: MicPod, grants: readonly Grant[]): readonly Grant[] {
    const chosen = new Map<string, Grant>();
    for (const grant of grants.toSorted((a, b) => byKey(a.binding, b.binding))) {
      const name = `${grant.objectNamespace}/${grant.identity.name}`;
      const first = chosen.get(name);
      if (first && first.identity !== grant.identity) {
        const { binding, identity } = grant;
        this.#problems.tell(
          'name-collision',
          { kind: 'AzureIdentityBinding', ...binding },
          `AzureIdentities ${keyOf(first.identity)} and ${keyOf(identity)} have one name, and pods of namespace ${pod.namespace} with the same selector can be assigned only one of them: they get the former, by AzureIdentityBinding ${keyOf(first.binding)}. Rename one.`,
        );
      } else if (!first || grant.binding.weight > first.binding.weight) chosen.set(name, grant);
    }
    return [...chosen.values()];
  }
}
