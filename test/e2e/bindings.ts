import { sampleIdentity } from '../lab/imds/token.ts';
import type { VmIdentity } from '../lab/imds/types.ts';
import type { KubeInput } from '../lab/kube/object.ts';
import { bindingObject, identityObject } from '../lab/objects.ts';
import type { Stage } from './stage.ts';
import { namespace } from './workload.ts';

/** An identity of Azure's, by its short name the same on every run. */
export const azureIdentity = sampleIdentity;

/** The identity as an AzureIdentity, and its binding for the pods labelled `label`, or with its name. */
export function pair(name: string, label = name): KubeInput[] {
  return [identityObject(name, namespace, azureIdentity(name)), bindingObject(name, namespace, name, label)];
}

/** Managed mode: the user has assigned these to the machines, and binds them. */
export async function bind({ kubectl, imds }: Stage, ...names: readonly string[]): Promise<VmIdentity[]> {
  const identities = names.map(azureIdentity);
  await imds.assign(...identities);
  await kubectl.apply(...names.flatMap((name) => pair(name)));
  return identities;
}

export async function unbind({ kubectl, imds }: Stage, ...names: readonly string[]): Promise<void> {
  await kubectl.delete('azureidentitybinding', ...names, '-n', namespace);
  await kubectl.delete('azureidentity', ...names, '-n', namespace);
  await imds.unassign(...names.map((name) => azureIdentity(name).clientId));
}
