import type { IncomingMessage } from 'node:http';
import type { Caller, Decision, TokenRequest } from '../model/decision.ts';
import type { AppError } from '../model/errors.ts';
import type { AzureIdentity } from '../model/identity.ts';
import type { Pod } from '../model/pod.ts';
import type { Token } from '../model/token.ts';
import type { Asker } from '../model/turn.ts';
import type { Clock } from '../platform/clock.ts';
import type { Target } from './canonical.ts';
import type { PassThrough } from './pass-through.ts';
import type { Patience } from './patience.ts';
import type { Answer, RefusalReason } from './reply.ts';
import type { Route } from './routes.ts';

export type Decide<D extends Decision> = (pod: Pod, request: TokenRequest) => D;

/** The stages behind the listener, handed in by lib/nmi.ts. */
export interface Stages {
  /** Who has this address? Waits, for a bounded time, until the caches are synced. */
  readonly callerOf: (address: string | undefined, signal: AbortSignal) => Promise<Caller>;
  /** The pod of this node with this name, hostNetwork or not; for `/host/token`. Waits as `callerOf`. */
  readonly podNamed: (namespace: string, name: string, signal: AbortSignal) => Promise<Caller>;
  readonly decide: Decide<Decision>;
  /** The same for the node's own drivers, which ask for the pod's identity: exceptions do not count. */
  readonly decideForHost: Decide<Exclude<Decision, { kind: 'pass' }>>;
  /** Makes the object ids of the pod's own identities known, before a request that names one is decided. */
  readonly learnObjectIds: (pod: Pod, resource: string, asker: Asker) => Promise<void>;
  /** Returns when `look` no longer says `wait`, when `ms` are over, or when `signal` aborts. */
  readonly hold: (pod: Pod, look: (pod: Pod) => Decision, ms: number, signal: AbortSignal) => Promise<void>;
  /** What covers this pod, so that it passes as the node, if anything. */
  readonly exceptionOf: (pod: Pod) => string | undefined;
  readonly explain: (pod: Pod, decision: Decision) => string;
  readonly token: (identity: AzureIdentity, resource: string, asker: Asker) => Promise<Token>;
  readonly passThrough: PassThrough;
}

export interface HandlerOptions {
  readonly clock: Clock;
  readonly metadataHeaderRequired: boolean;
  readonly rejectForwardedFor: boolean;
  readonly blockInstanceMetadata: boolean;
  readonly hostToken: boolean;
  readonly patience: Patience;
  /** A hold that ends in vain is a 503 with Retry-After, as the original's was, in place of a 404. */
  readonly setRetryAfterHeader: boolean;
}

/** What the log line and the metrics tell of a request beside its answer; filled while it is handled. */
export interface Trace {
  route: Route['kind'] | 'refused';
  pod?: Pod;
  identity?: AzureIdentity;
  resource?: string;
  /** Why there was no token, and the same in words. */
  refusal?: RefusalReason;
  explanation?: string;
  error?: AppError;
}

export type Handler = (req: IncomingMessage, trace: Trace, signal: AbortSignal) => Promise<Answer>;

/** One request on its way. */
export interface Exchange {
  readonly req: IncomingMessage;
  readonly target: Target;
  /** The path rebuilt from the target's segments; the only one that is sent upstream. */
  readonly path: string;
  readonly trace: Trace;
  readonly signal: AbortSignal;
  /** Until when it may wait for a turn towards IMDS, ms of the monotonic clock. */
  readonly until: number;
}
