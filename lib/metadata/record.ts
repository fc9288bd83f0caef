import { messageOf } from '../model/errors.ts';
import { podKey } from '../model/pod.ts';
import { clean } from '../model/text.ts';
import type { Logger } from '../platform/log.ts';
import { type NmiMetrics, resourceLabel } from '../platform/metrics.ts';
import { Repeats } from './repeats.ts';
import type { Served } from './server.ts';
import type { Trace } from './stages.ts';

const floods: ReadonlySet<string> = new Set([
  'too-many-connections',
  'too-many-in-flight',
  'too-many-requests',
]);

/**
 * One log line and one observation per request; of an address that asks for too much, one line a second and reason
 * tells how many of its requests were refused since the last. Never the path, the query, a header or a body.
 */
export function createRecorder(log: Logger, metrics: NmiMetrics): (served: Served) => void {
  const repeats = new Repeats();
  return (served) => {
    measure(served, metrics);
    const times = floods.has(served.code) ? repeats.told(`${served.address} ${served.code}`, served.at) : 1;
    if (times === 0) return;
    const fields = { ...fieldsOf(served), ...(times > 1 && { times }) };
    if (served.failure !== undefined)
      log.error({ ...fields, failure: stackOf(served.failure) }, 'request failed');
    else if (served.status >= 500) log.warn(fields, 'request');
    else log.info(fields, 'request');
  };
}

function fieldsOf(served: Served): Record<string, unknown> {
  const { requestId, method, trace, code, status, ms, address } = served;
  const { pod, identity, explanation, error } = trace;
  const cause = error?.cause ?? served.cause;
  return {
    request: requestId,
    method: clean(method),
    route: trace.route,
    status,
    code,
    ms: Math.round(ms * 10) / 10,
    address,
    ...(pod && { pod: podKey(pod) }),
    ...(identity && { identity: `${identity.namespace}/${identity.name}` }),
    ...(explanation !== undefined && { why: explanation }),
    ...(error && { error: error.code, why: error.message }),
    ...(cause !== undefined && { cause: clean(messageOf(rootOf(cause))) }),
  };
}

/** The original measured these two routes, and named them by their path. */
const operations: Partial<Record<Trace['route'], string>> = {
  token: '/metadata/identity/oauth2/token',
  host: '/host/token',
};

function measure({ trace, code, status, ms }: Served, metrics: NmiMetrics): void {
  metrics.answers.inc(trace.route, code);
  const operation = operations[trace.route];
  if (operation === undefined) return;
  const labels = {
    operation_type: operation,
    status_code: String(status),
    namespace: trace.pod?.namespace ?? '',
    resource: resourceLabel(trace.resource),
  };
  metrics.operations.observe(labels, ms / 1000);
}

/** `connect ECONNREFUSED …` says more than the wrappers around it. */
function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? rootOf(error.cause) : error;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
