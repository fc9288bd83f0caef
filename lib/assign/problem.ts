/** What keeps MIC from doing what the objects ask for. */
export type ProblemCode =
  | 'selector-missing' // a binding that has neither selector nor podSelector selects nothing
  | 'identity-missing' // a binding names an AzureIdentity that is not there
  | 'type-unsupported' // the identity's spec.type is none of 0, 1 and 2
  | 'resource-id-invalid' // spec.resourceID of a type 0 identity is no managed identity's
  | 'client-id-missing' // a type 0 identity without spec.clientID, which NMI gives to nobody
  | 'client-id-disputed' // two identities have one resourceID and different client ids
  | 'identity-refused' // a rule about namespaces keeps the identity from pods that the binding selects
  | 'identities-too-many' // bindings give a pod more identities than MIC assigns to one
  | 'name-collision' // the name of the assignment is taken by another identity, or by another pod
  | 'name-too-long' // the name of the assignment would have more than 253 characters
  | 'node-missing' // the pod's node is not there (any more)
  | 'provider-id-invalid'; // the node's spec.providerID is no Azure machine's

/** What the problem is told of, as `involvedObject` of an event. */
export interface About {
  readonly kind: 'AzureIdentity' | 'AzureIdentityBinding' | 'Pod' | 'Node';
  /** '' for a node. */
  readonly namespace: string;
  readonly name: string;
}

/** One sentence or two: what is wrong, and its cure. Names are the API server's; what people wrote freely is cleaned. */
export interface Problem {
  readonly code: ProblemCode;
  readonly about: About;
  readonly message: string;
}

/** Where problems are put, each once however many pods meet it. */
export class Problems {
  readonly #told = new Map<string, Problem>();

  tell(code: ProblemCode, { kind, namespace, name }: About, message: string): void {
    const about = { kind, namespace, name };
    this.#told.set(`${code} ${kind} ${namespace}/${name} ${message}`, { code, about, message });
  }

  /** In an order that depends on nothing but what they are. */
  all(): readonly Problem[] {
    return [...this.#told.keys()].sort().map((key) => this.#told.get(key) as Problem);
  }
}
