import type { ArmOperation } from '../../lib/assign/arm-call.ts';
import type { ProblemCode } from '../../lib/assign/problem.ts';
import type { EventOutcome } from '../../lib/kube/events.ts';
import type { RefusalCode, RefusalReason } from '../../lib/metadata/reply.ts';
import type { Trace } from '../../lib/metadata/stages.ts';
import type { DenyReason, WaitReason } from '../../lib/model/decision.ts';
import type { ErrorCode } from '../../lib/model/errors.ts';
import type { UpstreamKind } from '../../lib/model/turn.ts';
import type { Difference } from '../../lib/redirect/compare.ts';
import { guardPlace, redirectPlace } from '../../lib/redirect/rules.ts';
import type { CacheEvent, Payment } from '../../lib/tokens/broker.ts';
import type { Refusal } from '../../lib/tokens/governor.ts';

/**
 * The closed unions of the code as values, for pages and rules to be held to. The type checker refuses a name too many and a name
 * too few.
 */
type All<Name extends string> = Readonly<Record<Name, true>>;

const denials: All<DenyReason['code']> = {
  'no-label': true,
  'no-binding': true,
  'not-bound': true,
  'other-namespace': true,
  'no-client-id': true,
};

const waits: All<WaitReason['code']> = {
  'identity-missing': true,
  'assignment-missing': true,
  'not-assigned': true,
  'binding-missing': true,
};

const refusals: All<RefusalCode> = {
  'http-malformed': true,
  'http-too-large': true,
  'http-too-slow': true,
  'body-refused': true,
  'body-too-large': true,
  'path-refused': true,
  'path-unknown': true,
  'method-refused': true,
  'area-blocked': true,
  'no-metadata-header': true,
  'forwarded-for': true,
  'query-malformed': true,
  'query-duplicate': true,
  'resource-missing': true,
  'two-identities': true,
  'host-headers-missing': true,
  'too-many-connections': true,
  'too-many-in-flight': true,
  'too-many-requests': true,
  'caller-unknown': true,
  'pod-unknown': true,
  'caller-unsettled': true,
  'not-synced': true,
  'upstream-failed': true,
  'upstream-timeout': true,
  'upstream-busy': true,
  'type-unsupported': true,
  'internal-error': true,
};

const problems: All<ProblemCode> = {
  'selector-missing': true,
  'identity-missing': true,
  'type-unsupported': true,
  'resource-id-invalid': true,
  'client-id-missing': true,
  'client-id-disputed': true,
  'identity-refused': true,
  'identities-too-many': true,
  'name-collision': true,
  'name-too-long': true,
  'node-missing': true,
  'provider-id-invalid': true,
};

const errors: All<ErrorCode> = {
  'flag-invalid': true,
  'exec-missing': true,
  'exec-timeout': true,
  'iptables-unusable': true,
  'kubenet-refused': true,
  'iptables-failed': true,
  'routes-failed': true,
  'neighbours-failed': true,
  'kubeconfig-unusable': true,
  'kube-unreachable': true,
  'kube-timeout': true,
  'kube-refused': true,
  'kube-garbled': true,
  'kube-too-large': true,
  'listen-failed': true,
  'imds-unreachable': true,
  'imds-timeout': true,
  'imds-refused': true,
  'imds-garbled': true,
  'imds-busy': true,
  'credential-missing': true,
  'credential-unreadable': true,
  'credential-unusable': true,
  'entra-unreachable': true,
  'entra-timeout': true,
  'entra-refused': true,
  'entra-busy': true,
  'entra-garbled': true,
  'arm-unreachable': true,
  'arm-timeout': true,
  'arm-throttled': true,
  'arm-refused': true,
  'arm-failed': true,
  'arm-garbled': true,
  'arm-gone': true,
  'arm-deleting': true,
  'identity-type-unsupported': true,
};

const routes: All<Trace['route']> = {
  token: true,
  identity: true,
  area: true,
  host: true,
  nowhere: true,
  refused: true,
};

const payments: All<Payment> = { cached: true, shared: true, fetched: true, kept: true };
const cacheEvents: All<CacheEvent> = {
  renewed: true,
  'renewal-failed': true,
  gone: true,
  expired: true,
  full: true,
  'too-large': true,
};
const differences: All<Difference['kind']> = {
  'chain-missing': true,
  'chain-changed': true,
  'jump-missing': true,
  'jump-changed': true,
  'jump-behind': true,
};
const outcomes: All<EventOutcome> = { sent: true, repeated: true, dropped: true, failed: true };
const kinds: All<UpstreamKind> = { token: true, pass: true };
const turnedAway: All<Refusal> = { full: true, late: true };
const armOperations: All<ArmOperation> = {
  vm_get: true,
  vm_update: true,
  vmss_get: true,
  vmss_update: true,
  poll: true,
};

function names<Name extends string>(all: All<Name>): readonly Name[] {
  return Object.keys(all) as Name[];
}

export const denialCodes = names(denials);
export const waitCodes = names(waits);
export const refusalCodes = names(refusals);
export const problemCodes = names(problems);
export const errorCodes = names(errors);
export const armOperationNames = names(armOperations);

/** What becomes of a request, by its code; `token` and `upstream` are no refusals of ours. */
const answers: All<RefusalCode | RefusalReason | 'token' | 'upstream'> = {
  ...{ token: true, upstream: true },
  ...denials,
  ...waits,
  ...refusals,
};

/** The values of labels that have a closed set of them, by metric and label. */
export const labelValues: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  podidentity_answers_total: { route: names(routes), code: names(answers) },
  podidentity_token_payments_total: { payment: names(payments) },
  podidentity_token_cache_events_total: { event: names(cacheEvents) },
  podidentity_imds_calls_total: { kind: names(kinds) },
  podidentity_imds_calls_in_flight: { kind: names(kinds) },
  podidentity_imds_calls_queued: { kind: names(kinds) },
  podidentity_imds_calls_wait_seconds: { kind: names(kinds) },
  podidentity_imds_calls_refused_total: { kind: names(kinds), why: names(turnedAway) },
  podidentity_imds_paused_seconds_total: { kind: names(kinds) },
  podidentity_rules_present: { what: ['guard', 'redirect'] },
  podidentity_rules_repairs_total: {
    what: [redirectPlace.name, guardPlace.name, 'routes', 'other backend'],
    found: [...names(differences), 'missing', 'stale-copy'],
  },
  podidentity_pod_events_total: { outcome: names(outcomes) },
  podidentity_mic_events_total: { outcome: names(outcomes) },
  podidentity_assignment_problems: { code: names(problems) },
  podidentity_arm_calls_total: { operation_type: names(armOperations) },
  aadpodidentity_cloud_provider_operations_duration_seconds: { operation_type: names(armOperations) },
  aadpodidentity_cloud_provider_operations_errors_count: { operation_type: names(armOperations) },
};
