import type { ArmMachine } from '../lab/arm/types.ts';
import { sampleSystemIdentity } from '../lab/imds/token.ts';
import { type KubeObject, textAt } from '../lab/kube/object.ts';

const scaleSetInstance =
  /^azure:\/\/(\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/Microsoft.Compute\/virtualMachineScaleSets\/([^/]+))\/virtualMachines\/[^/]+$/i;

/** With its ARM id. */
export type ScaleSet = ArmMachine & { readonly id: string };

/** The scale sets that the nodes say they are of, as Azure has them. One IMDS plays for all of them. */
export function machinesOf(nodes: readonly KubeObject[]): readonly ScaleSet[] {
  const machines = nodes.map((node) => {
    const [, id, subscription, resourceGroup, name] =
      scaleSetInstance.exec(textAt(node, 'spec.providerID')) ?? [];
    if (!id || !subscription || !resourceGroup || !name)
      throw new Error(`node ${node.metadata.name} has no providerID of a scale set of Azure`);
    return {
      ...({ kind: 'vmss', subscription, resourceGroup, name, id } as const),
      ...{ hasImds: true, systemAssigned: sampleSystemIdentity() },
    };
  });
  return [...new Map(machines.map((machine) => [machine.id, machine])).values()];
}
