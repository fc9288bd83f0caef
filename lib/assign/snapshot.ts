import type { AssignedObject, MicPod } from '../model/assigned-object.ts';
import type { AzureIdentityBinding } from '../model/binding.ts';
import type { AzureIdentity } from '../model/identity.ts';

export type { AssignedObject, AssignmentMarks, MicPod } from '../model/assigned-object.ts';

/** What writing copies into assignments takes. */
interface Copied {
  /** What its copies are compared by; see lib/model/content.ts. */
  readonly content: string;
  /** The object whole, as it stands in the API: what a copy is. */
  readonly json: string;
}

export interface SeenIdentity extends AzureIdentity, Copied {}

export interface SeenBinding extends AzureIdentityBinding, Copied {}

/** What MIC sees of the world at one moment. */
export interface Snapshot {
  /** Wall time, ms since the epoch. */
  readonly nowMs: number;
  /** All that have a node. */
  readonly pods: Iterable<MicPod>;
  readonly bindings: Iterable<SeenBinding>;
  readonly identities: Iterable<SeenIdentity>;
  readonly assigned: Iterable<AssignedObject>;
  /** `spec.providerID` by name of the node, '' where there is none. */
  readonly nodes: ReadonlyMap<string, string>;
}

/** Where a node without a providerID is looked for: the cloud configuration's own. */
export interface Home {
  readonly subscription: string;
  readonly resourceGroup: string;
}

export interface PlanSettings {
  /** `--forceNamespaced`. */
  readonly namespaced: boolean;
  readonly home: Home;
  /** `--unassign-grace`, ms. */
  readonly graceMs: number;
  /** `--prewarm=binding`. */
  readonly prewarm: boolean;
  /**
   * Identities that are never removed: the client ids of `--immutable-user-msis` and the cluster's own
   * (`userAssignedIdentityID`). Client ids or ARM ids, in any letter case; '' is none.
   */
  readonly immutable: readonly string[];
}

/** The key of an object: `namespace/name`. */
export function keyOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}
