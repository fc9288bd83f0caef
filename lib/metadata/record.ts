import { messageOf } from '../model/errors.ts';
import { podKey } from '../model/pod.ts';
import { clean } from '../model/text.ts';
import type { Logger } from '../platform/log.ts';
import { type NmiMetrics, resourceLabel } from '../platform/metrics.ts';
import type { Served } from './server.ts';

/** One log line and one observation per request. Never the path, the query, a header or a body. */
export function createRecorder(log: Logger, metrics: NmiMetrics): (served: Served) => void {
  return (served) => {
    measure(served, metrics);
    if (served.failure === undefined) log.info(fieldsOf(served), 'request');
    else log.error({ ...fieldsOf(served), failure: stackOf(served.failure) }, 'request failed');
  };
}

function fieldsOf({ requestId, method, trace, code, status, ms, address }: Served): Record<string, unknown> {
  const { pod, identity, explanation, error } = trace;
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
    ...(error && {
      error: error.code,
      why: error.message,
      cause: error.cause && messageOf(rootOf(error.cause)),
    }),
  };
}

function measure({ trace, code, status, ms }: Served, metrics: NmiMetrics): void {
  metrics.answers.inc({ route: trace.route, code });
  if (trace.route !== 'token') return;
  const labels = {
    operation_type: '/metadata/identity/oauth2/token',
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
