import type { VmIdentity } from '../imds/types.ts';

/** A user-assigned managed identity that exists in Azure. */
export interface ManagedIdentity extends VmIdentity {
  /** False: who asks has no right to assign it (the role Managed Identity Operator). */
  readonly assignable?: boolean;
}

export interface ArmMachine {
  readonly kind: 'vm' | 'vmss';
  readonly subscription: string;
  readonly resourceGroup: string;
  readonly name: string;
  readonly systemAssigned?: VmIdentity;
  /** ARM ids; none unless said. */
  readonly userAssigned?: readonly string[];
  /** `Succeeded` unless said. */
  readonly provisioningState?: string;
  /** The lab's IMDS is that of this machine: it issues tokens for what is assigned here, and for nothing else. */
  readonly hasImds?: boolean;
}

/** A machine as it stands. */
export interface MachineView {
  /** As in the resource: `None`, `UserAssigned`, … */
  readonly type: string;
  /** ARM ids in lower case, sorted. */
  readonly userAssigned: readonly string[];
  readonly provisioningState: string;
}

/** One misbehaviour, taken up by the next `count` (1 unless said) requests of this method whose path holds `path` (any unless said). */
export type ArmFault = FaultKind & {
  readonly count?: number;
  readonly method?: 'GET' | 'PATCH';
  readonly path?: string;
};

type FaultKind =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly code?: string;
      readonly message?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'hang' }
  | { readonly kind: 'reset' }
  /** 200 and this body; unless said, one that is no JSON. */
  | { readonly kind: 'garbage'; readonly body?: string }
  /** A PATCH is taken; its operation ends so and changes nothing. */
  | { readonly kind: 'fails'; readonly code: string; readonly message: string };

export interface ArmSettings {
  /** How long an operation takes; about 25,000 in the field. */
  readonly operationMs: number;
  /** How a PATCH tells where to look: at the operation, at a Location, or only at the machine. */
  readonly style: 'operation' | 'location' | 'machine';
  /** Retry-After of answers about an operation under way, in seconds; null for none. */
  readonly retryAfter: string | null;
  /** For whom tokens must be. */
  readonly audiences: readonly string[];
  /** By subscription; none unless said. */
  readonly limits: Readonly<Record<string, Limit>>;
}

/** So many requests in a window of that many seconds, then 429 until it is over. */
export interface Limit {
  readonly reads: number;
  readonly writes: number;
  readonly windowSec: number;
}

export interface ArmRecord {
  readonly method: string;
  readonly path: string;
  /** ARM id in lower case; '' for other requests. */
  readonly machine: string;
  readonly apiVersion: string;
  readonly body: string;
  readonly userAgent: string;
  readonly correlationId: string;
  /** The client id in the token; '' where there is none. */
  readonly caller: string;
  readonly status: number | 'hang' | 'reset';
}
