import type { MicPod } from '../../../lib/model/assigned-object.ts';
import { aMicPod, armId, aSeenBinding, aSeenIdentity, plainSettings, vmssId } from '../../assign/making.ts';
import { World } from '../../assign/world.ts';
import { FakeArm } from '../../fakes/arm.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { sampleIdentity } from '../../lab/imds/token.ts';
import type { Size } from './size.ts';

/** A cluster in which nothing is assigned yet, and its Azure; neither takes any time to answer. */
export interface Scene {
  readonly clock: FakeClock;
  readonly world: World;
  readonly arm: FakeArm;
}

/** Pods follow one another node by node and take the identities in turn, so that every scale set comes to need each of them. */
export async function setScene(size: Size): Promise<Scene> {
  const clock = new FakeClock();
  const scene = { clock, world: new World(plainSettings), arm: new FakeArm(clock) };
  scene.world.nowMs = clock.now();
  for (let at = 0; at < size.identities; at++) addIdentity(scene, at);
  await addNodes(scene, size);
  // The caches keep equal labels once, too.
  const labels = Array.from({ length: size.identities }, (_, at) => ({ aadpodidbinding: `app-${at}` }));
  for (let at = 0; at < size.pods; at++) {
    const of = at % size.identities;
    const node = nodeName(Math.floor((at * size.nodes) / size.pods), size);
    scene.world.put(scene.world.pods, podOf(of, { name: podName(at), node, labels: labels[of] ?? {} }));
  }
  return scene;
}

/** A pod more, with the first identity on the first node. */
export function addPod({ world }: Scene): void {
  const labels = { aadpodidbinding: 'app-0' };
  world.put(world.pods, podOf(0, { name: 'one-more', node: [...world.nodes.keys()][0] ?? '', labels }));
}

function podOf(identity: number, fields: Pick<MicPod, 'name' | 'node' | 'labels'>): MicPod {
  return aMicPod({ ...fields, uid: `uid-${fields.name}`, namespace: `team-${identity}` });
}

/** The managed identity, its AzureIdentity and its binding, in the namespace of those who use it. */
function addIdentity({ world, arm }: Scene, at: number): void {
  const [namespace, name] = [`team-${at}`, `identity-${at}`];
  const { clientId } = sampleIdentity(name);
  arm.azure.createIdentities({ ...sampleIdentity(name), resourceId: armId(name), assignable: true });
  world.put(world.identities, aSeenIdentity({ namespace, name, clientId }));
  const binding = { namespace, name: `${name}-binding`, azureIdentity: name, selector: `app-${at}` };
  world.put(world.bindings, aSeenBinding(binding));
}

async function addNodes({ world, arm }: Scene, size: Size): Promise<void> {
  const home = { subscription: 'sub', resourceGroup: 'group' };
  for (let at = 0; at < size.scaleSets; at++)
    await arm.azure.addMachine({ ...home, kind: 'vmss', name: scaleSetName(at) });
  for (let at = 0; at < size.nodes; at++)
    world.nodes.set(nodeName(at, size), vmssId(scaleSetOf(at, size), String(at)));
}

const scaleSetName = (at: number): string => `aks-pool${at}-12345678-vmss`;
const scaleSetOf = (node: number, { scaleSets, nodes }: Size): string =>
  scaleSetName(Math.floor((node * scaleSets) / nodes));
const nodeName = (at: number, size: Size): string =>
  `${scaleSetOf(at, size)}${at.toString(36).padStart(6, '0')}`;
const podName = (at: number): string => `workload-7d9c5b6f4-${at.toString(36).padStart(5, 'x')}`;
