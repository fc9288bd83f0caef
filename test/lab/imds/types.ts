/** A managed identity as Azure knows it. */
export interface VmIdentity {
  readonly clientId: string;
  readonly objectId: string;
  readonly tenantId: string;
  /** ARM id, `/subscriptions/…/userAssignedIdentities/NAME`; for the system-assigned one the VM's own ARM id. */
  readonly resourceId: string;
}

/**
 * One misbehaviour, taken up by the next `count` requests (1 unless said) whose normalised path starts with `path` (any unless said).
 * `afterMs` holds every kind back first.
 */
export type Fault = FaultKind & {
  readonly count?: number;
  readonly path?: string;
  readonly afterMs?: number;
};

type FaultKind =
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: string; readonly body?: string }
  /** The right answer, late by `afterMs`. */
  | { readonly kind: 'latency'; readonly afterMs: number }
  /** No answer until the client leaves. */
  | { readonly kind: 'hang' }
  /** TCP RST in place of an answer. */
  | { readonly kind: 'reset' }
  /** The right head, half of the body, then the end of the connection. */
  | { readonly kind: 'truncate' }
  /** 200 with a body that is not JSON. */
  | { readonly kind: 'garbage' }
  /** The right answer, byte by byte. */
  | { readonly kind: 'drip'; readonly everyMs: number };

export interface Settings {
  /** How long every answer takes, ms. */
  readonly latencyMs: number;
  /** Life of a token, seconds; 86,400 as in Azure. */
  readonly tokenLifetimeSec: number;
  /** What a request that names no identity gets; null when the VM has none. */
  readonly systemAssigned: VmIdentity | null;
}

/** One TCP connection that arrived, with or without a request. */
export interface ConnectionRecord {
  /** Counts from 1. */
  readonly connection: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** ms since the epoch. */
  readonly at: number;
}

/** One request as it stood on the wire. */
export interface RequestRecord {
  /** Order of arrival, from 1, over all connections. */
  readonly seq: number;
  readonly connection: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** When its last byte arrived, ms since the epoch. */
  readonly at: number;
  /** How many requests were being answered at that moment, this one included. */
  readonly inFlight: number;
  /** Its bytes, head and body, as latin1 text; at most 16,384. */
  readonly raw: string;
  readonly method: string;
  readonly target: string;
  /** What this IMDS took the target for; '' for bytes that are no request. */
  readonly path: string;
  readonly query: readonly (readonly [string, string])[];
  /** Header names as sent, in order. */
  readonly headerNames: readonly string[];
  readonly userAgent: string;
  readonly bodyBytes: number;
  /** The status sent, or `hang`, `reset`; undefined while it is being answered. */
  readonly answered: number | 'hang' | 'reset' | undefined;
  /** The token in the answer, also in one that was cut short. */
  readonly issued: IssuedToken | undefined;
}

export interface IssuedToken {
  readonly jti: string;
  readonly clientId: string;
  readonly resource: string;
  /** Seconds since the epoch. */
  readonly expiresOn: number;
}
