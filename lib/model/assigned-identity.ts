import type { AzureIdentity } from './identity.ts';

/** `status.status`; '' is what MICs before 1.5 left, and means Assigned. */
export type AssignmentState = '' | 'Created' | 'Assigned' | 'Unassigned';

/** An AzureAssignedIdentity (aadpodidentity.k8s.io/v1): MIC's word that a pod may have an identity, and how far Azure is. */
export interface AzureAssignedIdentity {
  readonly namespace: string;
  readonly name: string;
  readonly podNamespace: string;
  readonly pod: string;
  /** '' where nothing is said. */
  readonly node: string;
  readonly state: AssignmentState;
  /** As MIC saw it when it made the assignment. */
  readonly identity: AzureIdentity;
  readonly binding: {
    readonly namespace: string;
    readonly name: string;
    readonly weight: number;
    /** '' where nothing is said. */
    readonly selector: string;
  };
}
