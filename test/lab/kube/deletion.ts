import { propagation } from './garbage.ts';
import type { Kind } from './kinds.ts';
import { isJson, type Json, type KubeObject, textAt } from './object.ts';
import * as status from './status.ts';

/** The part of metav1.DeleteOptions that the stand-in honours. */
export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  /** Background unless said. */
  readonly propagationPolicy?: string;
}

/** RFC 3339 in whole seconds, the form of metav1.Time. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

const immortal = ['default', 'kube-public', 'kube-system'];

/** Query and body of a DELETE; a query parameter fills in what the body leaves out. */
export function parseDeleteOptions(query: URLSearchParams, body: unknown): DeleteOptions {
  if (body !== undefined && (!isJson(body) || (body.kind ?? 'DeleteOptions') !== 'DeleteOptions')) {
    throw status.failure(500, '', `couldn't get version/kind of the delete options`);
  }
  const grace = query.get('gracePeriodSeconds');
  return { ...(grace === null ? {} : { gracePeriodSeconds: Number(grace) }), ...(body as Json | undefined) };
}

/**
 * What a DELETE makes of an object: `gone` when nothing holds it any longer. A pod first gets a deletionTimestamp, as
 * long as it is on a node and has a grace period; a finalizer holds anything. The object itself when nothing changes.
 */
export function markForDeletion(
  kind: Kind,
  old: KubeObject,
  options: DeleteOptions,
  now: number,
): { object: KubeObject; gone: boolean } {
  if (kind.kind === 'Namespace' && immortal.includes(old.metadata.name)) {
    throw status.forbidden(kind, 'this namespace may not be deleted', old.metadata.name);
  }
  checkPreconditions(kind, old, options);
  const { deletionTimestamp, deletionGracePeriodSeconds: running } = old.metadata;
  const finalizers = finalizersAfter(old, options);
  const grace = kind.kind === 'Pod' ? podGrace(old, options) : 0;
  const marks = kind.kind === 'Pod' || kind.kind === 'Namespace' || finalizers.length > 0;
  const shortens = deletionTimestamp === undefined || grace < (running ?? 0);
  const gone = finalizers.length === 0 && grace === 0;
  if (!marks || !shortens) return { object: old, gone };
  const { generation } = old.metadata;
  const metadata = {
    ...old.metadata,
    ...(finalizers.length > 0 ? { finalizers } : {}),
    deletionTimestamp: timestamp(now + grace * 1000),
    ...(kind.kind === 'Namespace' ? {} : { deletionGracePeriodSeconds: grace }),
    ...(generation === undefined ? {} : { generation: generation + 1 }),
  };
  return { object: { ...old, metadata }, gone };
}

function finalizersAfter({ metadata }: KubeObject, { propagationPolicy = '' }: DeleteOptions): string[] {
  const { finalizers = [], deletionTimestamp } = metadata;
  const added = deletionTimestamp === undefined ? propagation[propagationPolicy] : undefined;
  return added === undefined || finalizers.includes(added) ? finalizers : [...finalizers, added];
}

/** True for an object that only its finalizers held and that has lost the last of them. */
export function isReleased({ metadata }: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = metadata;
  return deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0 && finalizers.length === 0;
}

/** Seconds: asked, else what already runs, else the pod's own; none without a node or when it has ended. */
function podGrace(pod: KubeObject, { gracePeriodSeconds }: DeleteOptions): number {
  const ended = ['Succeeded', 'Failed'].includes(textAt(pod, 'status.phase'));
  if (ended || !textAt(pod, 'spec.nodeName')) return 0;
  const running = pod.metadata.deletionGracePeriodSeconds;
  const own = Number(pod.spec?.terminationGracePeriodSeconds ?? 30);
  return gracePeriodSeconds ?? running ?? own;
}

function checkPreconditions(
  kind: Kind,
  { metadata }: KubeObject,
  { preconditions = {} }: DeleteOptions,
): void {
  const { uid, resourceVersion } = preconditions;
  if (uid !== undefined && uid !== metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid})`;
    throw status.conflict(kind, metadata.name, why);
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion})`;
    throw status.conflict(kind, metadata.name, why);
  }
}
