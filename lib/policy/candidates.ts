import type { DenyReason, WaitReason } from '../model/decision.ts';
import type { AzureIdentity } from '../model/identity.ts';
import type { Pod } from '../model/pod.ts';

/** An identity that a binding gives to a pod. */
export interface Candidate {
  readonly identity: AzureIdentity;
  readonly binding: string;
  readonly weight: number;
}

/** One that is on its way; `identity` where it is known which. */
export interface Expected {
  readonly why: WaitReason;
  readonly identity?: AzureIdentity;
}

/** All that the cluster's objects say of one pod, whatever it asks for. */
export interface Candidates {
  readonly ready: readonly Candidate[];
  readonly expected: readonly Expected[];
  /** What to say when there is neither. */
  readonly none: DenyReason;
}

/** Where candidates come from: managed or standard mode. */
export type CandidatesOf = (pod: Pod) => Candidates;
