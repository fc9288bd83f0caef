import type { IdentityPatch, MachineIdentity } from '../../lib/assign/identity-patch.ts';
import type { Machine } from '../../lib/assign/machine.ts';
import { machineKey } from '../../lib/assign/machine.ts';
import type { ResourceId } from '../../lib/assign/resource-id.ts';

/** `identity` of a machine, as ARM changes it. */
export interface FakeIdentity extends MachineIdentity {
  hasSystem: boolean;
  readonly userAssigned: Map<ResourceId, string>;
}

/** ARM has answered with an error; nothing or, as in reality, everything of the PATCH was done. */
export class ArmFailure extends Error {}

/**
 * What ARM does with the identities of machines. Refuses a PATCH with an identity that Azure does not know, and one whose
 * type contradicts its map; obeys one that takes the system-assigned identity away, as ARM does.
 */
export class FakeArm {
  /** Managed identities that exist: client id by resource id. */
  readonly azure = new Map<ResourceId, string>();
  readonly machines = new Map<string, FakeIdentity>();
  /** PATCHes that were carried out so far. */
  patches = 0;
  /** What no PATCH may do. */
  readonly offences: string[] = [];

  /** Undefined where there is no such machine. */
  get(machine: Machine): FakeIdentity | undefined {
    return this.machines.get(machineKey(machine));
  }

  patch(machine: Machine, { type, userAssignedIdentities = {} }: IdentityPatch['identity']): void {
    const identity = this.get(machine);
    if (!identity) throw new ArmFailure('ResourceNotFound');
    const changes = Object.entries(userAssignedIdentities);
    if (type.includes('UserAssigned') !== changes.length > 0) throw new ArmFailure('InvalidIdentityType');
    for (const [id, value] of changes) {
      if (value && !this.azure.has(id)) throw new ArmFailure(`FailedIdentityOperation '${id}'`);
      if ((value !== null) === identity.userAssigned.has(id))
        this.#offend(machine, `a change that is none: ${id}`);
    }
    this.patches++;
    const system = type.startsWith('SystemAssigned');
    if (identity.hasSystem && !system) this.#offend(machine, `the system-assigned identity lost by ${type}`);
    identity.hasSystem = system;
    if (!type.includes('UserAssigned')) identity.userAssigned.clear();
    for (const [id, value] of changes) {
      if (value) identity.userAssigned.set(id, this.azure.get(id) ?? '');
      else identity.userAssigned.delete(id);
    }
    if (changes.length > 0 && identity.userAssigned.size === 0)
      this.#offend(machine, `type ${type} without any`);
  }

  /** Gone in Azure; machines keep the id, and know no client id for it. */
  deleteIdentity(id: ResourceId): void {
    this.azure.delete(id);
    for (const { userAssigned: users } of this.machines.values()) if (users.has(id)) users.set(id, '');
  }

  #offend(machine: Machine, what: string): void {
    this.offences.push(`${machineKey(machine)}: ${what}`);
  }
}
