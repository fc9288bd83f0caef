import type { AssignmentState } from './assigned-identity.ts';
import type { AzureIdentity } from './identity.ts';
import type { Pod } from './pod.ts';

/** Keeps an AzureAssignedIdentity until MIC has taken the identity off the machine. */
export const assignmentFinalizer = 'azureassignedidentity.finalizers.aadpodidentity.k8s.io';

/** Label of an AzureAssignedIdentity with the name of the node; NMI watches by it. */
export const assignmentNodeLabel = 'nodename';

/** Annotations of an AzureAssignedIdentity, by which MIC remembers over a restart what it cannot see any more. */
export const assignmentAnnotations = {
  /** ARM id of the machine that the identity is put on: its node may vanish first. */
  machine: 'aadpodidentity.k8s.io/machine',
  /** RFC 3339: since when no pod needs the assignment; the grace counts from here. Means something in state Unassigned. */
  unassignSince: 'aadpodidentity.k8s.io/unassign-since',
  /** RFC 3339: when a pod last had the identity by this assignment. Only with `--prewarm=binding`, in state Unassigned. */
  lastUsed: 'aadpodidentity.k8s.io/last-used',
} as const;

/** These annotations, read. Times in ms since the epoch; undefined where there is none, or one that is no time. */
export interface AssignmentMarks {
  /** As it stands; '' where there is none, as on what the original's MIC made. */
  readonly machine: string;
  readonly unassignSinceMs: number | undefined;
  readonly lastUsedMs: number | undefined;
}

/** An AzureAssignedIdentity as it stands in the API, as MIC sees it. Absent strings are ''. */
export interface AssignedObject extends AssignmentMarks {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly podNamespace: string;
  readonly pod: string;
  readonly node: string;
  readonly state: AssignmentState;
  /** The copy that is embedded, which is what NMI gets tokens with. */
  readonly identity: AzureIdentity;
  /** Of that copy; see `identityContent`. */
  readonly identityContent: string;
  readonly binding: { readonly namespace: string; readonly name: string };
  readonly bindingContent: string;
  readonly hasFinalizer: boolean;
  readonly deleting: boolean;
  /** The label `nodename`. */
  readonly label: string;
}

/** A pod of any node, trimmed to what MIC needs of 100,000 of them. */
export interface MicPod extends Pick<Pod, 'namespace' | 'name' | 'uid' | 'node' | 'labels'> {
  /** Succeeded or Failed: it needs nothing any more. */
  readonly ended: boolean;
}
