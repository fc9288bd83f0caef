import { armName } from './resource-id.ts';
import type { Home } from './snapshot.ts';

/** What identities are put on: a VM or a whole scale set. Names in the letter case that they were first seen in. */
export interface Machine {
  readonly kind: 'vm' | 'vmss';
  readonly subscription: string;
  readonly resourceGroup: string;
  readonly name: string;
}

const types = { vm: 'virtualMachines', vmss: 'virtualMachineScaleSets' } as const;

const pattern = new RegExp(
  `^/subscriptions/(${armName})/resourceGroups/(${armName})/providers/Microsoft\\.Compute/(?:virtualMachines/(${armName})|virtualMachineScaleSets/(${armName})(?:/virtualMachines/${armName})?)$`,
  'iu',
);

/**
 * The machine of an ARM id: a VM (also one of a scale set with flexible orchestration, whose identities are its own), a scale
 * set, or an instance of a scale set, whose identities are the set's. Undefined for anything else.
 */
export function machineOf(armId: string): Machine | undefined {
  const [, subscription, resourceGroup, vm, vmss] = pattern.exec(armId) ?? [];
  const name = vm ?? vmss;
  if (!subscription || !resourceGroup || !name) return undefined;
  return { kind: vm === undefined ? 'vmss' : 'vm', subscription, resourceGroup, name };
}

const scheme = 'azure://';

/**
 * The machine of a node by its `spec.providerID`; without one, the VM of the node's name where the cloud configuration says.
 * Undefined for a providerID that is no Azure machine's.
 */
export function machineOfNode(node: string, providerId: string, home: Home): Machine | undefined {
  if (providerId === '') return { kind: 'vm', ...home, name: node };
  if (providerId.slice(0, scheme.length).toLowerCase() !== scheme) return undefined;
  return machineOf(providerId.slice(scheme.length));
}

/** The ARM id of the machine. */
export function armIdOf({ kind, subscription, resourceGroup, name }: Machine): string {
  return `/subscriptions/${subscription}/resourceGroups/${resourceGroup}/providers/Microsoft.Compute/${types[kind]}/${name}`;
}

/** Equal for equal machines. */
export function machineKey(machine: Machine): string {
  return armIdOf(machine).toLowerCase();
}
