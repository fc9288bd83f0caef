import type { Test } from 'tap';
import type { Agent, AgentOptions } from '../agent.ts';
import { sampleIdentity } from '../imds/token.ts';
import type { VmIdentity } from '../imds/types.ts';
import type { KubeInput } from '../kube/object.ts';
import { createLab, type Lab } from '../lab.ts';
import { type Assignment, assignedObject, bindingObject, identityObject } from '../objects.ts';
import type { PodOptions } from '../pods.ts';

/** A lab with these pods, each labelled with its own name where it has no labels, and every identity of `names` on the VM. */
export async function standardLab(
  t: Test,
  pods: readonly PodOptions[],
  names: readonly string[],
): Promise<Lab> {
  const labelled = pods.map((pod) => ({ labels: { aadpodidbinding: pod.name }, ...pod }));
  const lab = await createLab({ pods: labelled });
  t.teardown(() => lab.down());
  await lab.imds.assign(...names.map(sampleIdentity));
  return lab;
}

/** An agent of standard mode, once it is ready. */
export async function standardAgent(lab: Lab, { flags, ...rest }: AgentOptions = {}): Promise<Agent> {
  const agent = lab.startAgent({ flags: { 'operation-mode': 'standard', ...flags }, ...rest });
  await agent.ready();
  return agent;
}

/** An AzureIdentity and a binding of the same name in `namespace`, for the pods labelled with that name. Not in the API yet. */
export function pair(name: string, namespace = 'default'): Omit<Assignment, 'state'> {
  return {
    identity: identityObject(name, namespace, sampleIdentity(name)),
    binding: bindingObject(name, namespace, name, name),
  };
}

/** Writes the assignment for the pod, or its next state. The binding in it selects the pod, as MIC's would. */
export async function assign(
  lab: Lab,
  pod: { readonly name: string; readonly namespace?: string },
  assignment: Assignment,
): Promise<KubeInput> {
  const { namespace = 'default', name } = pod;
  const labels = (await lab.kube.get('Pod', name, { namespace }))?.metadata.labels ?? {};
  const spec = { ...(assignment.binding.spec as object), selector: labels.aadpodidbinding ?? '' };
  const binding = { ...assignment.binding, spec };
  return lab.kube.apply(assignedObject({ namespace, name }, { ...assignment, binding }));
}

/** The value of a metric without labels. */
export async function metric(lab: Lab, agent: Agent, name: string): Promise<number> {
  const { stdout } = await lab.onNode(['curl', '-s', agent.metrics]);
  return Number(new RegExp(`^${name.replace(/[{}"]/g, '\\$&')} (\\S+)$`, 'm').exec(stdout)?.[1]);
}

export const clientIdOf = (name: string): VmIdentity['clientId'] => sampleIdentity(name).clientId;
