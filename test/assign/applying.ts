import { difference } from '../../lib/assign/difference.ts';
import { changesOf, patchOf } from '../../lib/assign/identity-patch.ts';
import type { MachinePlan, ObjectOperation } from '../../lib/assign/operation.ts';
import type { ResourceId } from '../../lib/assign/resource-id.ts';
import type { AssignedObject } from '../../lib/assign/snapshot.ts';
import { ArmFailure, type FakeIdentity } from './fake-arm.ts';
import { ApiRefusal, type World } from './world.ts';

/** Says what goes wrong at each step; throws to end MIC there. */
export type Fate = (step: 'write' | 'get' | 'patch') => 'well' | 'refused' | 'done but not told';

export const allGoesWell: Fate = () => 'well';

/** Applies a plan as its operations say, the simplest way. Returns how many things it changed. */
export function apply(world: World, fate: Fate, onRemove: (key: string, id: ResourceId) => void): number {
  const { machines, free } = world.plan();
  const before = world.arm.patches;
  const write = (operation: ObjectOperation): number => (attempt(() => run(world, operation, fate)) ? 1 : 0);
  let changes = free.map(write).reduce((sum, each) => sum + each, 0);
  for (const machine of machines) {
    const settled = attempt(() => settle(world, machine, { fate, onRemove }));
    const ready = settled ? machine.objects.filter((operation) => holds(operation, settled)) : [];
    changes += ready.map(write).reduce((sum, each) => sum + each, 0);
  }
  return changes + world.arm.patches - before;
}

/** Undefined where ARM or the API refused; whatever else is thrown ends MIC. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (error instanceof ArmFailure || error instanceof ApiRefusal) return undefined;
    throw error;
  }
}

interface Settled {
  readonly on: ReadonlySet<ResourceId>;
  /** Not removed, though planned. */
  readonly kept: readonly ResourceId[];
}

function holds(operation: ObjectOperation, { on, kept }: Settled): boolean {
  if (operation.kind === 'create' || operation.kind === 'update' || operation.when.kind === 'now')
    return true;
  const { kind, id } = operation.when;
  return kind === 'on' ? on.has(id) : !on.has(id) || kept.includes(id);
}

interface Settling {
  readonly fate: Fate;
  readonly onRemove: (key: string, id: ResourceId) => void;
}

/** One GET, and the PATCHes for the difference; what a batch fails with is tried one by one. */
function settle(world: World, plan: MachinePlan, { fate, onRemove }: Settling): Settled {
  if (fate('get') !== 'well') throw new ArmFailure('429');
  const identity = world.arm.get(plan.machine);
  if (!identity) return { on: new Set(), kept: [] };
  const { add, remove, renew, kept } = difference(plan, identity.userAssigned, world.settings.immutable);
  const key = [...world.arm.machines].find(([, each]) => each === identity)?.[0] ?? '';
  for (const id of remove) onRemove(key, id);
  const batch = { add, remove: [...remove, ...renew] };
  const tell = (change: typeof batch): true | undefined =>
    attempt(() => patch(world, { plan, identity, ...change, fate }));
  if (!tell(batch)) {
    for (const id of batch.add) if (!identity.userAssigned.has(id)) tell({ add: [id], remove: [] });
    for (const id of batch.remove) if (identity.userAssigned.has(id)) tell({ add: [], remove: [id] });
  }
  for (const id of renew) if (!identity.userAssigned.has(id)) tell({ add: [id], remove: [] });
  return { on: new Set(identity.userAssigned.keys()), kept };
}

interface Change {
  readonly plan: MachinePlan;
  readonly identity: FakeIdentity;
  readonly add: readonly ResourceId[];
  readonly remove: readonly ResourceId[];
  readonly fate: Fate;
}

function patch(world: World, { plan, identity, add, remove, fate }: Change): true {
  const body = patchOf(identity, changesOf(identity, { add, remove }));
  if (!body) return true;
  const outcome = fate('patch');
  if (outcome !== 'refused') world.arm.patch(plan.machine, body.identity);
  if (outcome !== 'well') throw new ArmFailure('FailedIdentityOperation');
  return true;
}

function run(world: World, operation: ObjectOperation, fate: Fate): true {
  const outcome = fate('write');
  if (outcome !== 'refused') write(world, operation, fate);
  if (outcome !== 'well') throw new ApiRefusal('500');
  return true;
}

function write(world: World, operation: ObjectOperation, fate: Fate): void {
  if (operation.kind === 'create') {
    const { target, marks } = operation;
    world.create({ ...fieldsOf(target), ...marks, state: 'Created', hasFinalizer: true });
  } else if (operation.kind === 'state') {
    world.update(operation.object, { ...operation.marks, state: operation.to });
  } else {
    const { object, former } = operation;
    if (former) world.create({ ...object, ...former, ...former.marks, state: 'Unassigned' });
    fate('write');
    if (operation.kind === 'delete') end(world, object, fate);
    else {
      const { state, marks, target } = operation;
      world.update(object, { ...fieldsOf(target), ...marks, state, hasFinalizer: true });
    }
  }
}

function end(world: World, object: AssignedObject, fate: Fate): void {
  world.delete(object);
  fate('write');
  const left = [...world.objects.values()].find(({ uid }) => uid === object.uid);
  if (left) world.update(left, { hasFinalizer: false });
}

type Target = Extract<ObjectOperation, { kind: 'create' }>['target'];

function fieldsOf({ identity, binding, node, ...names }: Target) {
  return {
    ...names,
    node,
    label: node,
    identity,
    identityContent: identity.content,
    binding,
    bindingContent: binding.content,
  };
}
