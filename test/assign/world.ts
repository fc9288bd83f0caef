import { machineOfNode } from '../../lib/assign/machine.ts';
import { plan } from '../../lib/assign/plan.ts';
import { type ResourceId, resourceIdOf } from '../../lib/assign/resource-id.ts';
import type { PlanSettings, SeenBinding, SeenIdentity, Snapshot } from '../../lib/assign/snapshot.ts';
import type { AssignedObject, MicPod } from '../../lib/model/assigned-object.ts';
import { FakeArm } from './fake-arm.ts';

/** The API server refuses. */
export class ApiRefusal extends Error {}

const nameOf = ({ namespace, name }: { namespace: string; name: string }): string => `${namespace}/${name}`;

/** A cluster and its Azure, in memory. Objects of the API are never changed, only replaced. */
export class World {
  nowMs = 1_000_000_000_000;
  readonly settings: PlanSettings;
  readonly arm = new FakeArm();
  readonly pods = new Map<string, MicPod>();
  readonly nodes = new Map<string, string>();
  readonly bindings = new Map<string, SeenBinding>();
  readonly identities = new Map<string, SeenIdentity>();
  readonly objects = new Map<string, AssignedObject>();
  /** `machine id` of what is on a machine and no object knew of at some time: MIC cannot be asked to clean it. */
  readonly orphans = new Set<string>();
  #version = 1;

  constructor(settings: PlanSettings) {
    this.settings = settings;
  }

  snapshot(): Snapshot {
    const { nowMs, nodes } = this;
    const [pods, bindings, identities] = [this.pods, this.bindings, this.identities].map((all) => [
      ...all.values(),
    ]) as [MicPod[], SeenBinding[], SeenIdentity[]];
    return { nowMs, nodes, pods, bindings, identities, assigned: [...this.objects.values()] };
  }

  plan(): ReturnType<typeof plan> {
    return plan(this.snapshot(), this.settings);
  }

  put<T extends { namespace: string; name: string }>(map: Map<string, T>, item: T): void {
    map.set(nameOf(item), item);
  }

  /** POST. */
  create(object: Omit<AssignedObject, 'uid' | 'resourceVersion' | 'deleting'>): void {
    if (this.objects.has(nameOf(object))) throw new ApiRefusal('AlreadyExists');
    if (object.name.length > 253) throw new ApiRefusal('Invalid');
    const version = String(this.#version++);
    this.put(this.objects, { ...object, uid: `uid-${version}`, resourceVersion: version, deleting: false });
  }

  /** PUT or PATCH of what the caller has seen. */
  update(seen: AssignedObject, fields: Partial<AssignedObject>): void {
    const stands = this.objects.get(nameOf(seen));
    if (!stands) throw new ApiRefusal('NotFound');
    if (stands.resourceVersion !== seen.resourceVersion) throw new ApiRefusal('Conflict');
    if (stands.deleting && fields.hasFinalizer && !stands.hasFinalizer) throw new ApiRefusal('Forbidden');
    const changed = { ...stands, ...fields, resourceVersion: String(this.#version++) };
    if (changed.deleting && !changed.hasFinalizer) this.objects.delete(nameOf(seen));
    else this.put(this.objects, changed);
  }

  /** DELETE: an object with a finalizer stays, marked. */
  delete(seen: AssignedObject): void {
    const stands = this.objects.get(nameOf(seen));
    if (!stands) return;
    if (stands.uid !== seen.uid) throw new ApiRefusal('Conflict');
    this.update(stands, { deleting: true });
  }

  /** `machine id` that the object stands for, undefined for none. Says in other words what Places and Surveyor say. */
  spotOf(object: AssignedObject): string | undefined {
    const id = object.identity.type === 0 ? resourceIdOf(object.identity.resourceId) : undefined;
    const key = object.machine.toLowerCase() || this.#keyOfNode(object.node);
    return id === undefined || key === undefined ? undefined : `${key} ${id}`;
  }

  /** The machine of a node, as ARM knows it. */
  machineOf(node: string): string | undefined {
    const providerId = this.nodes.get(node);
    if (providerId === undefined) return undefined;
    const machine = machineOfNode(node, providerId, this.settings.home);
    if (!machine) return undefined;
    const { kind, subscription, resourceGroup, name } = machine;
    const type = kind === 'vm' ? 'virtualmachines' : 'virtualmachinescalesets';
    return `/subscriptions/${subscription}/resourcegroups/${resourceGroup}/providers/microsoft.compute/${type}/${name}`.toLowerCase();
  }

  /** After something that was not MIC's: what no object stands for now, MIC cannot know. */
  noteOrphans(): void {
    const known = new Set([...this.objects.values()].map((object) => this.spotOf(object)));
    for (const [key, { userAssigned: users }] of this.arm.machines)
      for (const id of users.keys()) if (!known.has(`${key} ${id}`)) this.orphans.add(`${key} ${id}`);
  }

  machineHas(key: string, id: ResourceId): boolean {
    return this.arm.machines.get(key)?.userAssigned.has(id) === true;
  }

  /** A scale set's instance that is gone is known by its name. */
  #keyOfNode(node: string): string | undefined {
    if (this.nodes.has(node)) return this.machineOf(node);
    const name = node.slice(0, -6);
    const key = `/subscriptions/sub/resourcegroups/group/providers/microsoft.compute/virtualmachinescalesets/${name}`;
    return [...this.nodes.keys()].some((other) => this.machineOf(other) === key) ? key : undefined;
  }
}
