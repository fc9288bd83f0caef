import { resourceIdOf } from '../../lib/assign/resource-id.ts';
import { pick } from '../fakes/random.ts';
import { dueIn } from './oracle.ts';
import type { World } from './world.ts';

/**
 * The original's MIC was at it and left in the middle: it knows no annotation of ours, sets states without a timestamp, keeps
 * annotations that it finds, and takes identities off at once.
 */
export function originalActs(world: World, random: () => number): void {
  for (const { key, pod, binding, identity, spot } of dueIn(world)) {
    if (random() < 0.5 || key.includes(' ')) continue;
    const stands = world.objects.get(key);
    const spec = { podNamespace: pod.namespace, pod: pod.name, node: pod.node, label: pod.node };
    const copies = {
      identity,
      identityContent: identity.content,
      binding,
      bindingContent: binding.content,
    };
    const can = spot === undefined || world.arm.azure.has(spot.split(' ')[1] ?? '');
    const state = can ? pick(['Created', 'Assigned', 'Assigned'], random) : 'Created';
    const [namespace = '', name = ''] = key.split('/');
    if (stands?.deleting) continue;
    if (stands) world.update(stands, { ...spec, ...copies, state });
    else world.create({ ...spec, ...copies, namespace, name, state, ...noMarks, hasFinalizer: true });
    if (state === 'Assigned') putOn(world, spot);
  }
  const due = new Set(dueIn(world).map(({ key }) => key));
  const needed = new Set(dueIn(world).map(({ spot }) => spot));
  for (const [key, object] of world.objects) {
    if (due.has(key) || random() < 0.5) continue;
    const spot = world.spotOf(object);
    if (object.state === 'Assigned' && spot && !needed.has(spot)) takeOff(world, spot);
    if (random() < 0.5 && !object.deleting) world.update(object, { state: 'Unassigned' });
    else world.update(object, { deleting: true, hasFinalizer: false });
  }
  world.noteOrphans();
}

const noMarks = { machine: '', unassignSinceMs: undefined, lastUsedMs: undefined };

function putOn(world: World, spot: string | undefined): void {
  const [key = '', id = ''] = spot?.split(' ') ?? [];
  const clientId = world.arm.azure.get(id);
  if (clientId !== undefined) world.arm.machines.get(key)?.userAssigned.set(id, clientId);
}

function takeOff(world: World, spot: string): void {
  const [key = '', id = ''] = spot.split(' ');
  if (resourceIdOf(id) !== undefined) world.arm.machines.get(key)?.userAssigned.delete(id);
}
