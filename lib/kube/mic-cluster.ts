import type { AssignedObject, MicPod } from '../model/assigned-object.ts';
import type { Assignment } from './assigned-body.ts';
import type { Caches } from './caches.ts';
import { azureRef, type EventRef, nodeRef } from './event-body.ts';
import { micAssigned } from './mic-assigned.ts';
import {
  assignedPods,
  type MicBinding,
  type MicIdentity,
  type MicNode,
  micBindings,
  micIdentities,
  nodes,
} from './mic-resources.ts';
import { Store } from './store.ts';

interface Named {
  readonly namespace: string;
  readonly name: string;
}

/** An assignment as it is planned: binding and identity by name, and by the content that was planned with. */
export interface Planned extends Omit<Assignment, 'binding' | 'identity'> {
  readonly binding: Named & { readonly content: string };
  readonly identity: Named & { readonly content: string };
}

/** What a plan is made from, but for the hour. */
export interface Seen {
  readonly pods: Iterable<MicPod>;
  readonly bindings: Iterable<MicBinding>;
  readonly identities: Iterable<MicIdentity>;
  readonly assigned: Iterable<AssignedObject>;
  /** `spec.providerID` by name. */
  readonly nodes: ReadonlyMap<string, string>;
}

/** Everything that MIC knows of the cluster, kept up to date by watches. */
export class MicCluster {
  readonly #pods: Store<MicPod>;
  readonly #bindings: Store<MicBinding>;
  readonly #identities: Store<MicIdentity>;
  readonly #assigned: Store<AssignedObject>;
  readonly #nodes: Store<MicNode>;

  /** `onChange`: something that plans depend on has changed. */
  constructor(caches: Caches, onChange: () => void) {
    this.#pods = new Store(onChange);
    this.#bindings = new Store(onChange);
    this.#identities = new Store(onChange);
    this.#assigned = new Store(onChange);
    this.#nodes = new Store(onChange);
    caches.add(assignedPods(), this.#pods);
    caches.add(micBindings, this.#bindings);
    caches.add(micIdentities, this.#identities);
    caches.add(micAssigned(), this.#assigned);
    caches.add(nodes, this.#nodes);
  }

  /** As it stands; to be used at once, for the iterables go over what is kept. */
  seen(): Seen {
    const providerIds = [...this.#nodes.values()].map(({ name, providerId }) => [name, providerId] as const);
    return {
      pods: this.#pods.values(),
      bindings: this.#bindings.values(),
      identities: this.#identities.values(),
      assigned: this.#assigned.values(),
      nodes: new Map(providerIds),
    };
  }

  /** With what is to be copied, as it stands now; undefined when it is gone, or says something else than what was planned with. */
  assignmentOf(planned: Planned): Assignment | undefined {
    const binding = this.#bindings.get(keyOf(planned.binding));
    const identity = this.#identities.get(keyOf(planned.identity));
    const same =
      binding?.content === planned.binding.content && identity?.content === planned.identity.content;
    return binding && identity && same ? { ...planned, binding, identity } : undefined;
  }

  /** For an event; undefined for what is not there any more. */
  refOf(
    kind: 'AzureIdentity' | 'AzureIdentityBinding' | 'AzureAssignedIdentity' | 'Pod' | 'Node',
    about: Named,
  ): EventRef | undefined {
    const key = keyOf(about);
    if (kind === 'Node') return nodeRef(about.name);
    if (kind === 'Pod') return this.#pods.get(key);
    const kept = {
      AzureIdentity: this.#identities,
      AzureIdentityBinding: this.#bindings,
      AzureAssignedIdentity: this.#assigned,
    };
    const object = kept[kind].get(key);
    return object && azureRef(kind, object);
  }
}

function keyOf({ namespace, name }: Named): string {
  return `${namespace}/${name}`;
}
