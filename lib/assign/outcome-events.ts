import type { Outcry, Subject } from './apply-doors.ts';
import { byTurns } from './by-turns.ts';
import type { Machine } from './machine.ts';
import type { ObjectOperation, Target } from './operation.ts';
import { ownWords } from './own-words.ts';
import { resourceIdOf } from './resource-id.ts';
import type { Refused } from './settle.ts';
import { type AssignedObject, keyOf } from './snapshot.ts';

/** Of so many pods the reason is told; those of a large scale set would fill the cluster's events. */
const mostPods = 20;

/** What the write of an object is told as, by the original's reasons; `why` is given where it failed. */
export function writeEvents(operation: ObjectOperation, why: string | undefined): readonly Outcry[] {
  const { binding, node, pod, podNamespace } = saidBy(operation);
  const about = subject('AzureIdentityBinding', binding);
  const what = `Binding ${keyOf(binding)}`;
  const where = `node ${node} for pod ${podNamespace}/${pod}`;
  if (operation.kind === 'delete') {
    return why === undefined
      ? [{ about, type: 'Normal', reason: 'binding removed', message: `${what} removed from ${where}` }]
      : [warning(about, 'binding remove error', `${what} not removed from ${where}: ${why}`)];
  }
  if (operation.kind !== 'state')
    return why === undefined
      ? []
      : [warning(about, 'binding apply error', `${what} not applied on ${where}: ${why}`)];
  if (why !== undefined) {
    const object = subject('AzureAssignedIdentity', operation.object);
    return [warning(object, 'status update error', `State not changed to ${operation.to}: ${why}`)];
  }
  if (operation.to !== 'Assigned') return [];
  return [{ about, type: 'Normal', reason: 'binding applied', message: `${what} applied on ${where}` }];
}

/**
 * What ARM's no is told as: on the identity, on the bindings that ask for it, and on the pods that wait for it. `waiting` are the
 * operations that do not run because of it. Nobody is told of another's identity.
 */
export function refusalEvents(
  { change, code, message }: Refused,
  waiting: readonly ObjectOperation[],
  { machine, againMs }: { readonly machine: Machine; readonly againMs: number },
): readonly Outcry[] {
  const isOn = change.to === 'on';
  const reason = isOn ? 'binding apply error' : 'binding remove error';
  const where = `${isOn ? 'to' : 'from'} ${machine.kind === 'vm' ? 'VM' : 'scale set'} ${machine.name}`;
  const again = `next try in ${Math.max(1, Math.round(againMs / 60_000))} min`;
  const words = message === '' ? code : `${code}: ${ownWords(message, change.id)}`;
  const told = new Map<string, Outcry>();
  const pods = new Set<string>();
  for (const { identity, binding, podNamespace, pod } of waiting.map(saidBy)) {
    const what = `${isOn ? 'assign' : 'take'} AzureIdentity ${keyOf(identity)} (${change.id}) ${where}`;
    const tell = (about: Subject): void => {
      const text = `Azure does not ${what}; ${again}. ${words}`;
      told.set(`${about.kind} ${keyOf(about)}`, warning(about, reason, text));
    };
    tell(subject('AzureIdentity', identity));
    tell(subject('AzureIdentityBinding', binding));
    if (!isOn || pods.size >= mostPods) continue;
    pods.add(`${podNamespace}/${pod}`);
    tell({ kind: 'Pod', namespace: podNamespace, name: pod });
  }
  return [...told.values()];
}

/**
 * What keeps a whole machine waiting is told on the pods that wait and on the bindings that ask: a MIC without its right or its token
 * is nothing else to them. `left` are the operations that do not run because of it. Nobody is told of another's identity.
 */
export function troubleEvents(
  why: string,
  left: readonly ObjectOperation[],
  { machine, againMs }: { readonly machine: Machine; readonly againMs: number },
): readonly Outcry[] {
  const where = `${machine.kind === 'vm' ? 'VM' : 'scale set'} ${machine.name}`;
  const again = `next try in ${Math.max(1, Math.round(againMs / 1_000))} s`;
  const waiting = byTurns(left.filter(({ kind }) => kind === 'state'));
  const told = new Map<string, Outcry>();
  for (const { identity, binding, podNamespace, pod } of waiting.slice(0, mostPods).map(saidBy)) {
    const words = ownWords(why, resourceIdOf(identity.resourceId) ?? '');
    const text = `AzureIdentity ${keyOf(identity)} is not assigned to ${where}; ${again}. ${words}`;
    const abouts = [
      subject('AzureIdentityBinding', binding),
      subject('Pod', { namespace: podNamespace, name: pod }),
    ];
    for (const about of abouts)
      told.set(`${about.kind} ${keyOf(about)} ${text}`, warning(about, 'binding apply error', text));
  }
  return [...told.values()];
}

function saidBy(operation: ObjectOperation): Target | AssignedObject {
  return operation.kind === 'create' || operation.kind === 'update' ? operation.target : operation.object;
}

function subject(
  kind: Subject['kind'],
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Subject {
  return { kind, namespace, name };
}

function warning(about: Subject, reason: string, message: string): Outcry {
  return { about, type: 'Warning', reason, message };
}
