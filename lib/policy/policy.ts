import type { Decision, TokenRequest } from '../model/decision.ts';
import type { AzureIdentity } from '../model/identity.ts';
import type { Pod } from '../model/pod.ts';
import type { Candidates, CandidatesOf } from './candidates.ts';
import { type Books, decide, type OwnDecision, permitted } from './decide.ts';
import { type Exceptions, isAksAddOn, isMic } from './exceptions.ts';

export interface PolicyOptions extends Books {
  readonly exceptions: Exceptions;
  /** Where MIC's own pods are, which pass as the node; undefined where there is no MIC. */
  readonly micNamespace: string | undefined;
  /** AKS's add-ons pass as the node, too. */
  readonly aksAddOns: boolean;
}

/** The questions that the other stages ask of policy. */
export class Policy {
  readonly #options: PolicyOptions;
  readonly #find: CandidatesOf;
  /** Hundreds of requests of one pod may wait, and thousands of bindings select it: each change is one search a pod. */
  #candidates = new WeakMap<Pod, Candidates>();
  #coverings = new WeakMap<Pod, { readonly by: string | undefined }>();

  constructor(options: PolicyOptions) {
    const candidatesOf = (pod: Pod): Candidates => this.#candidatesOf(pod);
    this.#options = { ...options, candidatesOf };
    this.#find = options.candidatesOf;
  }

  /** The books have changed: what was found for pods counts no more. */
  changed(): void {
    this.#candidates = new WeakMap();
    this.#coverings = new WeakMap();
  }

  decide(pod: Pod, request: TokenRequest): Decision {
    const exception = this.exceptionOf(pod);
    return exception === undefined ? this.decideForHost(pod, request) : { kind: 'pass', exception };
  }

  /** What the pod itself may have, as if nothing excepted it: for the node's own drivers. */
  decideForHost(pod: Pod, request: TokenRequest): OwnDecision {
    return decide(pod, request, this.#options);
  }

  /** What covers the pod, so that it passes as the node. */
  exceptionOf(pod: Pod): string | undefined {
    const known = this.#coverings.get(pod);
    if (known) return known.by;
    const by = this.#coveringOf(pod);
    this.#coverings.set(pod, { by });
    return by;
  }

  /** The identities that the pod may have as things stand, whatever it asks for. */
  identitiesOf(pod: Pod): readonly AzureIdentity[] {
    return permitted(pod, this.#options);
  }

  #coveringOf(pod: Pod): string | undefined {
    const { exceptions, micNamespace, aksAddOns } = this.#options;
    if (micNamespace !== undefined && isMic(pod, micNamespace)) return 'being MIC (--MICNamespace)';
    if (aksAddOns && isAksAddOn(pod)) return "being an add-on of AKS's (--aks-addon-exception)";
    return exceptions.covering(pod);
  }

  #candidatesOf(pod: Pod): Candidates {
    const known = this.#candidates.get(pod);
    if (known) return known;
    const found = this.#find(pod);
    this.#candidates.set(pod, found);
    return found;
  }
}
