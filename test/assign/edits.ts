import { resourceIdOf } from '../../lib/assign/resource-id.ts';
import type { PlanSettings } from '../../lib/assign/snapshot.ts';
import type { AssignedObject } from '../../lib/model/assigned-object.ts';
import { pick } from '../fakes/random.ts';
import { aMicPod, armId, aSeenBinding, aSeenIdentity, home, vmId, vmssId } from './making.ts';
import { originalActs } from './original.ts';
import { World } from './world.ts';

type Random = () => number;

const namespaces = ['apps', 'other', 'apps-x'] as const;
/** `x-web` of `apps` and `web` of `apps-x` make one name. */
const podNames = ['web', 'web-apps', 'x-web', 'job'] as const;
const identityNames = ['demo', 'demo2', 'x-demo'] as const;
const azureNames = ['one', 'two', 'three', 'missing'] as const;
const labels = ['one', 'two', ''] as const;

/** Where each node's machine is; two on a scale set, one each on another set, a VM, and one in another resource group. */
const providers: Readonly<Record<string, string>> = {
  set000001: vmssId('set', '1'),
  set000002: vmssId('SET', '2'),
  pool00000a: vmssId('pool', '10').replace('/group/', '/Elsewhere/'),
  vm1: '',
  vm2: vmId('vm2'),
};
const nodeNames = Object.keys(providers) as [string, ...string[]];

export function randomSettings(random: Random): PlanSettings {
  return {
    namespaced: random() < 0.3,
    home,
    graceMs: pick([0, 60_000, 300_000], random),
    prewarm: random() < 0.4,
    immutable: random() < 0.5 ? ['CLIENT-one', ''] : [],
  };
}

export function newWorld(random: Random): World {
  const world = new World(randomSettings(random));
  for (const name of azureNames)
    if (name !== 'missing') world.arm.azure.set(armId(name).toLowerCase(), `client-${name}`);
  world.arm.azure.set(foreign, 'client-foreign');
  for (const node of nodeNames) bringNode(world, node, random);
  for (let i = 0; i < 24; i++) pick(growing, random)(world, random);
  return world;
}

/** On every machine, and in no AzureIdentity. */
export const foreign = armId('foreign').toLowerCase();

function bringNode(world: World, node: string, random: Random): void {
  world.nodes.set(node, providers[node] ?? '');
  const key = world.machineOf(node) ?? '';
  if (!world.arm.machines.has(key))
    world.arm.machines.set(key, {
      hasSystem: random() < 0.5,
      userAssigned: new Map([[foreign, 'client-foreign']]),
    });
  world.noteOrphans();
}

type Edit = (world: World, random: Random) => void;

const some = <T>(map: ReadonlyMap<string, T>, random: Random): T | undefined =>
  [...map.values()][Math.floor(random() * map.size)];

const addPod: Edit = (world, random) => {
  const selected = random() < 0.8 && { aadpodidbinding: pick(labels, random) };
  world.put(
    world.pods,
    aMicPod({
      namespace: pick(namespaces, random),
      name: pick(podNames, random),
      node: pick(nodeNames, random),
      labels: { ...selected, app: pick(['x', 'y'], random) },
      ended: random() < 0.1,
    }),
  );
};

const addIdentity: Edit = (world, random) => {
  const azure = pick(azureNames, random);
  world.put(
    world.identities,
    aSeenIdentity({
      namespace: pick(namespaces, random),
      name: pick(identityNames, random),
      type: pick([0, 0, 0, 0, 1, 2, 7], random),
      clientId: random() < 0.9 ? `client-${azure}` : pick(['', 'wrong'], random),
      resourceId: random() < 0.9 ? pick([armId(azure), armId(azure).toUpperCase()], random) : 'nonsense',
      namespaced: random() < 0.15,
      allowedNamespaces: pick([undefined, undefined, undefined, ['apps'], []], random),
    }),
  );
};

const addBinding: Edit = (world, random) => {
  const podSelector = { matchLabels: { app: pick(['x', 'y'], random) }, matchExpressions: [] };
  world.put(
    world.bindings,
    aSeenBinding({
      namespace: pick(namespaces, random),
      name: pick(['a', 'b', 'c'], random),
      azureIdentity: pick(identityNames, random),
      selector: pick(labels, random),
      podSelector: random() < 0.3 ? podSelector : undefined,
      weight: pick([0, 0, 5], random),
    }),
  );
};

const growing = [addPod, addPod, addIdentity, addBinding] as const;

const remove =
  (from: 'pods' | 'bindings' | 'identities'): Edit =>
  (world, random) => {
    const item = some<{ namespace: string; name: string }>(world[from], random);
    if (item) world[from].delete(`${item.namespace}/${item.name}`);
  };

const object = (act: (world: World, object: AssignedObject) => void): Edit => {
  return (world, random) => {
    const one = some(world.objects, random);
    if (one) act(world, one);
    world.noteOrphans();
  };
};

const changePod: Edit = (world, random) => {
  const pod = some(world.pods, random);
  const label = { aadpodidbinding: pick(labels, random) };
  if (pod) world.put(world.pods, { ...pod, labels: { ...pod.labels, ...label }, ended: random() < 0.2 });
};

/** A pod of a StatefulSet, with its name, on the same node or on another. */
const comeBack: Edit = (world, random) => {
  const gone = some(world.objects, random);
  if (!gone) return;
  const { podNamespace: namespace, pod: name } = gone;
  const selector = world.bindings.get(`${gone.binding.namespace}/${gone.binding.name}`)?.selector ?? '';
  const node = random() < 0.7 ? gone.node : pick(nodeNames, random);
  world.put(world.pods, aMicPod({ namespace, name, node, labels: { aadpodidbinding: selector, app: 'x' } }));
};

const loseNode: Edit = (world, random) => {
  const node = pick(nodeNames, random);
  const key = world.machineOf(node) ?? '';
  world.nodes.delete(node);
  const others = [...world.nodes.keys()].map((each) => world.machineOf(each));
  if (!others.includes(key) && random() < 0.5) world.arm.machines.delete(key);
  world.noteOrphans();
};

const spoilNode: Edit = (world, random) => {
  const node = pick(nodeNames, random);
  if (world.nodes.has(node)) world.nodes.set(node, 'aws:///eu-west-1/i-0');
  world.noteOrphans();
};

/** Out of band: somebody takes an identity off a machine, or puts one on. */
const tamper: Edit = (world, random) => {
  const users = some(world.arm.machines, random)?.userAssigned;
  const id = armId(pick(azureNames, random)).toLowerCase();
  if (!users || !world.arm.azure.has(id)) return;
  if (!users.delete(id)) users.set(id, world.arm.azure.get(id) ?? '');
  world.noteOrphans();
};

/** A managed identity deleted, and created again under its name: another client id, which its AzureIdentities learn. */
const recreate: Edit = (world, random) => {
  const id = armId(pick(['one', 'two', 'three'], random)).toLowerCase();
  const clientId = `${world.arm.azure.get(id)}-again`;
  world.arm.deleteIdentity(id);
  world.arm.azure.set(id, clientId);
  for (const identity of world.identities.values())
    if (resourceIdOf(identity.resourceId) === id && random() < 0.8)
      world.put(world.identities, aSeenIdentity({ ...bare(identity), clientId }));
};

function bare<T extends { content: string }>({ content: _, ...rest }: T): Omit<T, 'content'> {
  return rest;
}

const edits: readonly [Edit, ...Edit[]] = [
  addPod,
  addPod,
  addPod,
  addIdentity,
  addBinding,
  remove('pods'),
  remove('pods'),
  remove('pods'),
  remove('bindings'),
  remove('identities'),
  changePod,
  comeBack,
  comeBack,
  loseNode,
  (world, random) => bringNode(world, pick(nodeNames, random), random),
  spoilNode,
  tamper,
  recreate,
  originalActs,
  object((world, one) => world.delete(one)),
  object((world, one) => world.update(one, { hasFinalizer: false })),
  object((world, one) => world.update(one, { label: 'elsewhere' })),
  object((world, one) => world.update(one, { machine: '' })),
  (world, random) => {
    world.nowMs += pick([1_000, 61_000, 301_000, 90_000_000], random);
  },
];

export function edit(world: World, random: Random): void {
  pick(edits, random)(world, random);
}

/** What Kubernetes does in the end: nodes are what they are, and pods of those that are gone are collected. */
export function comeToRest(world: World, random: Random): void {
  for (const node of world.nodes.keys()) bringNode(world, node, random);
  for (const [key, pod] of world.pods) if (!world.nodes.has(pod.node)) world.pods.delete(key);
}
