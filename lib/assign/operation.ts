import type { Machine } from './machine.ts';
import type { Problem } from './problem.ts';
import type { ResourceId } from './resource-id.ts';
import type { AssignedObject, AssignmentMarks, SeenBinding, SeenIdentity } from './snapshot.ts';

/** What an AzureAssignedIdentity is to say. Binding and identity are embedded whole, as they stand in the API. */
export interface Target {
  readonly namespace: string;
  readonly name: string;
  readonly podNamespace: string;
  readonly pod: string;
  /** Also the value of the label. */
  readonly node: string;
  readonly binding: SeenBinding;
  readonly identity: SeenIdentity;
}

/**
 * A copy of an object, under another name and in state Unassigned, that remembers what the object stood for: an identity that
 * is still on a machine. It is written before the object forgets.
 */
export interface Former {
  readonly namespace: string;
  readonly name: string;
  readonly marks: AssignmentMarks;
}

/** What must hold before an operation runs. */
export type Condition =
  | { readonly kind: 'now' }
  /** ARM says that the machine has the identity. */
  | { readonly kind: 'on'; readonly id: ResourceId }
  /** ARM says that the machine has it not, or that there is no such machine, or the identity must not be removed. */
  | { readonly kind: 'off'; readonly id: ResourceId };

/**
 * One change of one AzureAssignedIdentity; at most one an object in a plan, and none for an object that is as it should be.
 * `object` is what the plan was made from: another uid by now is another object, and the change is void. `marks` are all
 * annotations of MIC that the object has afterwards.
 */
export type ObjectOperation =
  /** With label and finalizer, state Created. */
  | { readonly kind: 'create'; readonly target: Target; readonly marks: AssignmentMarks }
  /** Spec, label and finalizer. `state` is Created only where Azure has something to do. */
  | {
      readonly kind: 'update';
      readonly object: AssignedObject;
      readonly target: Target;
      readonly state: 'Created' | 'Assigned';
      readonly marks: AssignmentMarks;
      readonly former: Former | undefined;
    }
  /** `Created` where a pod needs again what was Unassigned. */
  | {
      readonly kind: 'state';
      readonly object: AssignedObject;
      readonly to: 'Created' | 'Assigned' | 'Unassigned';
      readonly marks: AssignmentMarks;
      readonly when: Condition;
    }
  /** DELETE, and the finalizer taken off. */
  | {
      readonly kind: 'delete';
      readonly object: AssignedObject;
      readonly former: Former | undefined;
      readonly when: Condition;
    };

/** An identity that belongs on a machine. */
export interface WantedIdentity {
  readonly id: ResourceId;
  /** In lower case; undefined where the AzureIdentities do not tell, or disagree. */
  readonly clientId: string | undefined;
  /** Namespaces of the AzureIdentities that name it and that a binding names. */
  readonly owners: readonly string[];
}

/** What one machine needs: at most one GET and one PATCH. Every list is sorted by id. */
export interface MachinePlan {
  readonly machine: Machine;
  /** All that should be there, for the periodic repair of what others took off. Each has an object that stands for it. */
  readonly wanted: readonly WantedIdentity[];
  /** Those of `wanted` that an object waits for: the reason to ask ARM now. */
  readonly add: readonly WantedIdentity[];
  /** Neither wanted nor immutable, and past its grace. */
  readonly remove: readonly ResourceId[];
  /** In their grace, which an identity that Azure has deleted does not get. */
  readonly leaving: readonly ResourceId[];
  /** To run when ARM has answered. */
  readonly objects: readonly ObjectOperation[];
}

export interface Plan {
  /** Every machine that should have an identity, or has one to lose; by ARM id. */
  readonly machines: readonly MachinePlan[];
  /** Operations that wait for no machine, in any order. */
  readonly free: readonly ObjectOperation[];
  readonly problems: readonly Problem[];
  /** When time alone will change the plan, ms since the epoch; undefined when it will not. */
  readonly againAtMs: number | undefined;
}
