import { resourceIdOf } from '../../lib/assign/resource-id.ts';
import type { SeenBinding, SeenIdentity } from '../../lib/assign/snapshot.ts';
import type { MicPod } from '../../lib/model/assigned-object.ts';
import type { World } from './world.ts';

/** An assignment that the words of the API ask for. */
export interface Due {
  readonly key: string;
  readonly pod: MicPod;
  readonly binding: SeenBinding;
  readonly identity: SeenIdentity;
  /** `machine id`; undefined for a service principal. */
  readonly spot: string | undefined;
}

/** Every assignment that is due, by a scan of everything; several with one key compete for it. */
export function dueIn(world: World): Due[] {
  const { namespaced } = world.settings;
  const due: Due[] = [];
  for (const pod of world.pods.values()) {
    if (pod.ended) continue;
    for (const binding of world.bindings.values()) {
      const identity = world.identities.get(`${binding.namespace}/${binding.azureIdentity}`);
      if (!identity || !selects(binding, pod, namespaced) || !mayHave(identity, pod, namespaced)) continue;
      const id = identity.type === 0 ? resourceIdOf(identity.resourceId) : undefined;
      const machine = world.machineOf(pod.node);
      if (identity.type > 2 || (identity.type === 0 && (id === undefined || !machine))) continue;
      const space = namespaced || identity.namespaced ? identity.namespace : 'default';
      const key = `${space}/${pod.name}-${pod.namespace}-${identity.name}`;
      due.push({ key, pod, binding, identity, spot: id && `${machine} ${id}` });
    }
  }
  return due;
}

function selects({ namespace, selector, podSelector }: SeenBinding, pod: MicPod, near: boolean): boolean {
  const label = pod.labels.aadpodidbinding ?? '';
  const here = namespace === pod.namespace;
  if (!podSelector) return selector !== '' && selector === label && (here || !near);
  const meant = Object.entries(podSelector.matchLabels).every(([key, value]) => pod.labels[key] === value);
  return here && meant && ['', label].includes(selector);
}

function mayHave(identity: SeenIdentity, pod: MicPod, namespaced: boolean): boolean {
  const here = identity.namespace === pod.namespace;
  return (
    (here || !(namespaced || identity.namespaced)) &&
    identity.allowedNamespaces?.includes(pod.namespace) !== false
  );
}

/** Client ids, as whoever reads the objects and Azure would find them, that belong to the id. */
export function isImmutable(world: World, id: string): boolean {
  const named = world.settings.immutable.map((name) => name.toLowerCase()).filter((name) => name !== '');
  const embedded = [...world.objects.values()].map(({ identity }) => identity);
  const claims = [...world.identities.values(), ...embedded].filter(
    ({ resourceId }) => resourceIdOf(resourceId) === id,
  );
  return [world.arm.azure.get(id) ?? '', ...claims.map(({ clientId }) => clientId)].some((clientId) =>
    named.includes(clientId.toLowerCase()),
  );
}

/** What is not as it should be, in a world where nothing goes on any more. */
export function faultsOf(world: World): string[] {
  return [...objectFaults(world), ...machineFaults(world), ...world.arm.offences];
}

function objectFaults(world: World): string[] {
  const due = Map.groupBy(dueIn(world), ({ key }) => key);
  const faults = [...due.keys()].filter((key) => !world.objects.has(key)).map((key) => `${key} is missing`);
  for (const [key, object] of world.objects) {
    const rivals = due.get(key) ?? [];
    const mine = rivals.find(
      ({ pod, identity, binding }) =>
        [object.podNamespace, object.pod, object.node, object.label].join() ===
          [pod.namespace, pod.name, pod.node, pod.node].join() &&
        object.identityContent === identity.content &&
        object.identity.namespace === identity.namespace &&
        object.bindingContent === binding.content &&
        object.binding.name === binding.name,
    );
    const id = mine?.identity.type === 0 ? resourceIdOf(mine.identity.resourceId) : undefined;
    const state =
      id !== undefined && !world.arm.azure.has(id) && !onMachine(world, mine?.spot) ? 'Created' : 'Assigned';
    if (!mine) faults.push(`${key} is nobody's or not what it should be: ${JSON.stringify(object)}`);
    else if (object.state !== state && object.state !== '')
      faults.push(`${key} is ${object.state}, not ${state}`);
    if (!object.hasFinalizer || object.deleting) faults.push(`${key} is being deleted or has no finalizer`);
  }
  return faults;
}

function onMachine(world: World, spot: string | undefined): boolean {
  const [key = '', id = ''] = spot?.split(' ') ?? [];
  return world.machineHas(key, id);
}

function machineFaults(world: World): string[] {
  const wanted = new Set([...world.objects.values()].map((object) => world.spotOf(object)));
  const faults: string[] = [];
  for (const spot of wanted) {
    const [key = '', id = ''] = spot?.split(' ') ?? [];
    if (spot && world.arm.azure.has(id) && world.arm.machines.has(key) && !world.machineHas(key, id))
      faults.push(`${spot} is not on the machine`);
  }
  const alive = new Set([...world.nodes.keys()].map((node) => world.machineOf(node)));
  for (const [key, { userAssigned: users }] of world.arm.machines) {
    for (const [id, clientId] of users) {
      const spot = `${key} ${id}`;
      const dead = clientId === '' && world.arm.azure.has(id) && !isImmutable(world, id);
      if (dead && wanted.has(spot)) faults.push(`${spot} is stale`);
      const excused = wanted.has(spot) || world.orphans.has(spot) || isImmutable(world, id);
      if (!excused && (alive.has(key) || key.includes('scaleset')))
        faults.push(`${spot} is on the machine for nobody`);
    }
  }
  return faults;
}
