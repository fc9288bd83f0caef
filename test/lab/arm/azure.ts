import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../lib/platform/clock.ts';
import { sampleIdentity } from '../imds/token.ts';
import type { Settings, VmIdentity } from '../imds/types.ts';
import type { Refusal } from './refusals.ts';
import * as refusals from './refusals.ts';
import { type Identities, judge } from './rules.ts';
import type { ArmMachine, MachineView, ManagedIdentity } from './types.ts';

/** The IMDS of the machine that has one; ImdsClient, or an Imds of this process. */
export interface ImdsDoor {
  assign(...identities: readonly VmIdentity[]): Promise<void> | void;
  unassign(...clientIds: readonly string[]): Promise<void> | void;
  configure(settings: Partial<Settings>): Promise<void> | void;
}

interface Machine {
  readonly machine: ArmMachine;
  readonly id: string;
  identities: Identities;
  /** Those of `identities.user` that were deleted since they were assigned. */
  readonly dead: Set<string>;
  provisioningState: string;
}

/** An operation under way, or what came of it. */
export interface Operation {
  readonly machine: string;
  readonly error: Pick<Refusal, 'code' | 'message'> | undefined;
  status: 'InProgress' | 'Succeeded' | 'Failed';
  /** Resolves when it is over. */
  readonly ended: Promise<void>;
}

const typeOf = { vm: 'virtualMachines', vmss: 'virtualMachineScaleSets' } as const;

export function armIdOf({ kind, subscription, resourceGroup, name }: ArmMachine): string {
  return `/subscriptions/${subscription}/resourceGroups/${resourceGroup}/providers/Microsoft.Compute/${typeOf[kind]}/${name}`;
}

/** Machines, managed identities, and the operations that bring them together. Keys are ARM ids in lower case. */
export class Azure {
  /** A machine with an identity that was deleted refuses every change that leaves it there, as was seen in the field. */
  deadBlocks = false;
  readonly #clock: Clock;
  readonly #imds: ImdsDoor | undefined;
  readonly #identities = new Map<string, ManagedIdentity>();
  readonly #machines = new Map<string, Machine>();
  readonly #operations = new Map<string, Operation>();

  constructor(clock: Clock, imds?: ImdsDoor) {
    this.#clock = clock;
    this.#imds = imds;
  }

  createIdentities(...identities: readonly ManagedIdentity[]): void {
    for (const identity of identities) this.#identities.set(identity.resourceId.toLowerCase(), identity);
  }

  /** Their assignments stay, as in Azure, and are worth nothing, also when one of the same name is created. */
  async deleteIdentities(...resourceIds: readonly string[]): Promise<void> {
    for (const id of resourceIds.map((one) => one.toLowerCase())) {
      const identity = this.#identities.get(id);
      this.#identities.delete(id);
      for (const { identities, dead } of this.#machines.values()) if (identities.user.has(id)) dead.add(id);
      if (identity) await this.#imds?.unassign(identity.clientId);
    }
  }

  /** One with the same ARM id is replaced. */
  async addMachine(machine: ArmMachine): Promise<void> {
    const id = armIdOf(machine);
    const user = new Set((machine.userAssigned ?? []).map((one) => one.toLowerCase()));
    const identities = { system: machine.systemAssigned, user };
    const { provisioningState = 'Succeeded' } = machine;
    const nothing = { system: undefined, user: new Set<string>() };
    const added = { machine, id, identities: nothing, dead: new Set<string>(), provisioningState };
    this.#machines.set(id.toLowerCase(), added);
    await this.#assign(added, identities);
  }

  removeMachine(id: string): void {
    this.#machines.delete(id.toLowerCase());
  }

  /** In lower case. */
  ids(): readonly string[] {
    return [...this.#machines.keys()];
  }

  has(subscription: string): boolean {
    return [...this.#machines.values()].some(
      ({ machine }) => machine.subscription.toLowerCase() === subscription.toLowerCase(),
    );
  }

  view(id: string): MachineView | undefined {
    const found = this.#machines.get(id.toLowerCase());
    if (!found) return undefined;
    const { identities, provisioningState } = found;
    return { type: typeIn(identities), userAssigned: [...identities.user].sort(), provisioningState };
  }

  /** The resource as GET answers it. */
  resource(id: string): object | undefined {
    const found = this.#machines.get(id.toLowerCase());
    if (!found) return undefined;
    const { system, user } = found.identities;
    const entries = [...user].map((one) => {
      const known = this.#identities.get(one);
      // As seen in the field: the names stay, and Azure knows nobody of them any more.
      if (found.dead.has(one)) return [one, { principalId: null, clientId: null }];
      return [
        known?.resourceId ?? one,
        known ? { principalId: known.objectId, clientId: known.clientId } : {},
      ];
    });
    const identity = {
      type: typeIn(found.identities),
      ...(system ? { principalId: system.objectId, tenantId: system.tenantId } : {}),
      ...(user.size > 0 ? { userAssignedIdentities: Object.fromEntries(entries) } : {}),
    };
    return {
      ...{ name: found.machine.name, id: found.id, location: 'westeurope' },
      type: `Microsoft.Compute/${typeOf[found.machine.kind]}`,
      ...(system || user.size > 0 ? { identity } : {}),
      properties: { provisioningState: found.provisioningState },
    };
  }

  operation(id: string): Operation | undefined {
    return this.#operations.get(id);
  }

  /** Begins the change, and gives the id of its operation. `fails` is what it ends with, having changed nothing. */
  patch(id: string, body: string, operationMs: number, fails?: Operation['error']): Refusal | string {
    const found = this.#machines.get(id.toLowerCase());
    if (!found) return refusals.noOperation;
    if (found.provisioningState !== 'Succeeded' && found.provisioningState !== 'Failed')
      return refusals.busy(found.machine.name);
    const newSystem = { ...sampleIdentity(`system of ${id}`), resourceId: found.id };
    const next = judge(body, {
      machine: found.id,
      now: found.identities,
      known: this.#identities,
      newSystem,
    });
    if ('status' in next) return next;
    const dead = this.deadBlocks ? [...found.dead].find((one) => next.user.has(one)) : undefined;
    if (dead !== undefined) return refusals.noIdentity(found.id, dead);
    const over = Promise.withResolvers<void>();
    const operation: Operation = {
      ...{ machine: id.toLowerCase(), error: fails, status: 'InProgress' },
      ended: over.promise,
    };
    const operationId = randomUUID();
    this.#operations.set(operationId, operation);
    found.provisioningState = 'Updating';
    const end = async (): Promise<void> => {
      if (!fails) await this.#assign(found, next);
      found.provisioningState = fails ? 'Failed' : 'Succeeded';
      operation.status = fails ? 'Failed' : 'Succeeded';
      over.resolve();
    };
    if (operationMs === 0) void end();
    else this.#clock.after(operationMs, () => void end());
    return operationId;
  }

  /** IMDS knows before ARM says that it is done. */
  async #assign(found: Machine, next: Identities): Promise<void> {
    const before = found.identities;
    found.identities = next;
    const gone = [...before.user].filter((id) => !next.user.has(id));
    for (const id of gone) found.dead.delete(id);
    if (!found.machine.hasImds || !this.#imds) return;
    const known = (ids: Iterable<string>): ManagedIdentity[] =>
      [...ids].flatMap((id) => (found.dead.has(id) ? [] : (this.#identities.get(id) ?? [])));
    await this.#imds.unassign(...known(gone).map(({ clientId }) => clientId));
    await this.#imds.assign(...known(next.user));
    await this.#imds.configure({ systemAssigned: next.system ?? null });
  }
}

function typeIn({ system, user }: Identities): string {
  const kinds = [...(system ? ['SystemAssigned'] : []), ...(user.size > 0 ? ['UserAssigned'] : [])];
  return kinds.join(', ') || 'None';
}
