import type { Connection } from '../kube/connection.ts';
import { parsing, record, text } from '../kube/fields.ts';
import { listAll } from '../kube/list.ts';
import type { Resource } from '../kube/resource.ts';
import { isAppError } from '../model/errors.ts';
import { clean } from '../model/text.ts';
import { parseTime } from '../platform/clock.ts';

interface Warning {
  readonly at: number;
  readonly reason: string;
  readonly message: string;
}

/**
 * `Reason: message` of the last warning about an object, what a probe said first: that is why a pod is not ready. Undefined
 * where there is none, or none may be read: events come and go, and nothing depends on them.
 */
export async function lastWarning(
  connection: Connection,
  about: { readonly kind: string; readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<string | undefined> {
  const { kind, namespace, name } = about;
  const fieldSelector = `involvedObject.kind=${kind},involvedObject.name=${name},type=Warning`;
  const resource: Resource<Warning> = {
    name: 'events',
    path: `/api/v1/namespaces/${namespace}/events`,
    query: { fieldSelector },
    parse: parseWarning,
  };
  try {
    const { items } = await listAll(connection, resource, signal);
    const last = items.toSorted((a, b) => Number(isProbes(b)) - Number(isProbes(a)) || b.at - a.at)[0];
    return last && `${clean(last.reason)}: ${clean(last.message.trim())}`;
  } catch (error) {
    if (isAppError(error)) return undefined;
    throw error;
  }
}

function isProbes({ reason }: Warning): boolean {
  return reason === 'Unhealthy';
}

function parseWarning(raw: unknown): Warning | undefined {
  return parsing(raw, (event) => {
    const times = [text(event, 'lastTimestamp'), text(event, 'eventTime')];
    const at = [...times, text(record(event, 'metadata'), 'creationTimestamp')].map(parseTime);
    return {
      at: at.find((time) => !Number.isNaN(time)) ?? 0,
      reason: text(event, 'reason'),
      message: text(event, 'message'),
    };
  });
}
