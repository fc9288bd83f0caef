import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/log.ts';
import type { Arm } from './arm.ts';
import type { Target } from './operation.ts';
import type { About } from './problem.ts';
import type { AssignedObject, AssignmentMarks, PlanSettings } from './snapshot.ts';

/** What became of a write; see lib/kube/assigned-objects.ts, which makes them. */
export type Written = 'done' | 'gone' | 'changed' | 'pruned';

/** Whose turn a write is, and how long it is wanted. */
export interface Asked {
  readonly lane: string;
  readonly signal: AbortSignal;
}

export interface Standing {
  readonly state: 'Created' | 'Assigned' | 'Unassigned';
  readonly marks: AssignmentMarks;
}

/** Writes AzureAssignedIdentities. Each write is void where the object is another by now, and may be asked for twice. */
export interface Objects {
  create(target: Target, marks: AssignmentMarks, asked: Asked): Promise<Written>;
  update(object: AssignedObject, target: Target, standing: Standing, asked: Asked): Promise<Written>;
  setState(object: AssignedObject, standing: Standing, asked: Asked): Promise<Written>;
  remember(
    object: AssignedObject,
    copy: { readonly namespace: string; readonly name: string; readonly marks: AssignmentMarks },
    asked: Asked,
  ): Promise<Written>;
  remove(object: AssignedObject, asked: Asked): Promise<Written>;
}

/** What an event is about. */
export type Subject = About | (Omit<About, 'kind'> & { readonly kind: 'AzureAssignedIdentity' });

export interface Outcry {
  readonly about: Subject;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

export type Write = 'create' | 'update' | 'state' | 'delete';

/** Everything that applying a plan reaches the world by. */
export interface ApplyDoors {
  readonly arm: Arm;
  readonly objects: Objects;
  /** As an event; nobody waits for it. */
  readonly tell: (outcry: Outcry) => void;
  readonly onWrite: (write: Write, ms: number, failed: boolean) => void;
  readonly clock: Clock;
  /** 0 to 1, as Math.random. */
  readonly random: () => number;
  readonly log: Logger;
  /**
   * Whether what plans are made from is fresh. Where it is not, pods may have come that no plan knows of, and ARM is left alone
   * until it is.
   */
  readonly isFresh: () => boolean;
}

export interface ApplySettings {
  readonly immutable: PlanSettings['immutable'];
  /** Writes under way at once for one machine; `--createDeleteBatch`. */
  readonly batch: number;
  /** Pause before another try where ARM has refused a change, ms; none unless given. `--update-user-msi-retry-interval`. */
  readonly retryMs?: number;
  /** How often what is wanted on a machine is compared with ARM, ms; `--identity-assignment-reconcile-interval`. */
  readonly repairMs: number;
}
