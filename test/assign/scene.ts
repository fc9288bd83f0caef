import type { MachinePlan, ObjectOperation } from '../../lib/assign/operation.ts';
import { plan } from '../../lib/assign/plan.ts';
import type { AssignedObject, PlanSettings, Snapshot } from '../../lib/assign/snapshot.ts';
import { aMicPod, anObject, aSeenBinding, aSeenIdentity, plainSettings } from './making.ts';

export const nowMs = 1_000_000_000_000;
export const minutes = (count: number): number => nowMs - count * 60_000;

export const web = 'default/web-apps-demo';

/** A second pod of the binding on the same node, and its assignment. */
export const other = aMicPod({ name: 'other' });
export const others = anObject({ pod: 'other', uid: 'uid-other' });

/** A service principal of the same name. */
export const secret = aSeenIdentity({ type: 1, resourceId: '' });

export const setArmId =
  '/subscriptions/sub/resourceGroups/group/providers/Microsoft.Compute/virtualMachineScaleSets/set';

export const twoNodes: Snapshot['nodes'] = new Map([
  ['node1', ''],
  ['node2', ''],
]);

/** The object of `apps/web`, not needed since then. */
export function unassigned(since: number | undefined, fields: Partial<AssignedObject> = {}): AssignedObject {
  return anObject({ state: 'Unassigned', unassignSinceMs: since, ...fields });
}

/** What a plan is made from; what is left out is the usual: pod `apps/web` on `node1`, bound to `apps/demo`; no object yet. */
export type Scene = Partial<Snapshot> & Partial<PlanSettings>;

export const gone: Scene = { pods: [] };

export function planned(scene: Scene = {}): ReturnType<typeof plan> {
  const snapshot = {
    nowMs,
    pods: [aMicPod()],
    bindings: [aSeenBinding()],
    identities: [aSeenIdentity()],
    assigned: [],
    nodes: new Map([['node1', '']]),
  };
  return plan({ ...snapshot, ...scene }, { ...plainSettings, ...scene });
}

/** The plan in one line for each thing that it does; a machine that has nothing to do is one that `has` what is wanted. */
export function told(scene: Scene = {}): string[] {
  const { free, machines } = planned(scene);
  return [...free.map(line), ...machines.flatMap(lines)];
}

const short = (id: string): string => id.slice(id.lastIndexOf('/') + 1);

function lines({ machine, wanted, add, remove, objects }: MachinePlan): string[] {
  const list = (word: string, ids: readonly string[]): string =>
    ids.length > 0 ? ` ${word} ${ids.map(short).join('+')}` : '';
  const ids = (all: MachinePlan['wanted']): string[] => all.map(({ id }) => id);
  const does = list('wants', ids(wanted)) + list('adds', ids(add)) + list('removes', remove);
  return [`${machine.kind} ${machine.name}${does}`, ...objects.map(line)];
}

function line(operation: ObjectOperation): string {
  if (operation.kind === 'create') return `create ${operation.target.namespace}/${operation.target.name}`;
  const { namespace, name } = operation.object;
  const former = 'former' in operation && operation.former ? `, ${operation.former.name} stays` : '';
  if (operation.kind === 'update') return `update ${namespace}/${name} as ${operation.state}${former}`;
  const { when } = operation;
  const then = when.kind === 'now' ? '' : ` when ${short(when.id)} is ${when.kind}`;
  const what = operation.kind === 'state' ? operation.to : 'delete';
  return `${what} ${namespace}/${name}${then}${former}`;
}

/** `CODE KIND namespace/name` of every problem. */
export function problems(scene: Scene): string[] {
  return planned(scene).problems.map(
    ({ code, about }) => `${code} ${about.kind} ${about.namespace}/${about.name}`,
  );
}
