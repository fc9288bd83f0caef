import type { Test } from 'tap';
import type { AgentOptions } from '../agent.ts';
import { armIdOf } from '../arm/azure.ts';
import type { ArmClient } from '../arm/control.ts';
import type { ArmMachine } from '../arm/types.ts';
import type { EntraClient } from '../entra/control.ts';
import { eventually } from '../eventually.ts';
import { claimsOf, sampleIdentity, sampleSystemIdentity } from '../imds/token.ts';
import type { KubeObject } from '../kube/object.ts';
import { createLab, type Lab } from '../lab.ts';
import { azureHome, type Mic, type MicOptions } from '../mic.ts';
import { ask, tokenUrl } from '../nmi/scene.ts';
import { pair, standardAgent } from '../nmi/standard-scene.ts';

/** A lab with one Azure behind ARM and IMDS, an agent of standard mode, and a MIC that leads. */
export interface MicScene {
  readonly lab: Lab;
  readonly arm: ArmClient;
  readonly mic: Mic;
  readonly entra: EntraClient | undefined;
}

export interface MicSceneOptions extends MicOptions {
  /** Readies the lab before MIC starts, and gives what that has to know. */
  readonly before?: (lab: Lab, arm: ArmClient) => Promise<MicOptions & { readonly entra?: EntraClient }>;
  /** While it has just been started, and is not yet waited for until it leads. */
  readonly started?: (mic: Mic, all: Pick<MicScene, 'lab' | 'arm'>) => Promise<void>;
  /** Readies the lab for an agent that is to know more than usual, and gives what that takes. */
  readonly agent?: (lab: Lab) => Promise<AgentOptions>;
}

const vm: ArmMachine = {
  ...{ kind: 'vm', ...azureHome, name: 'node1' },
  ...{ hasImds: true, systemAssigned: sampleSystemIdentity() },
};
const scaleSet: ArmMachine = { kind: 'vmss', ...azureHome, name: 'pool' };
const providers = `/subscriptions/${azureHome.subscription}/resourceGroups/${azureHome.resourceGroup}/providers/Microsoft.Compute`;

/** The VM of the lab's node has a system-assigned identity and `foreign`; scale set `pool` has two nodes without agents. */
export async function micScene(
  t: Test,
  { agent, before, started, ...options }: MicSceneOptions = {},
): Promise<MicScene> {
  const lab = await createLab();
  t.teardown(() => lab.down());
  const arm = await lab.startArm();
  await arm.configure({ retryAfter: '1' });
  await create(arm, 'foreign');
  await refit(arm, 'vm', 'foreign');
  await refit(arm, 'pool');
  for (const instance of [0, 1]) {
    const metadata = { name: `pool00000${instance}` };
    const spec = { providerID: instanceId(instance) };
    await lab.kube.apply({ apiVersion: 'v1', kind: 'Node', metadata, spec });
  }
  const { entra, ...readied } = (await before?.(lab, arm)) ?? {};
  const mic = lab.startMic({ ...options, ...readied });
  await started?.(mic, { lab, arm });
  const { flags, ...rest } = (await agent?.(lab)) ?? {};
  await Promise.all([standardAgent(lab, { ...rest, flags: { 'identity-hold': 8, ...flags } }), leads(mic)]);
  return { lab, arm, mic, entra };
}

function instanceId(instance: number): string {
  return `azure://${providers}/virtualMachineScaleSets/pool/virtualMachines/${instance}`;
}

/** Makes the lab's node one of scale set `pool`, which has but a system-assigned identity then, instead of a VM of its own. */
export async function joinPool(lab: Lab, arm: ArmClient): Promise<void> {
  await lab.kube.patch('Node', 'node1', { spec: { providerID: instanceId(2) } });
  await arm.addMachines(
    { ...vm, hasImds: false },
    { ...scaleSet, systemAssigned: sampleSystemIdentity(), hasImds: true },
  );
}

export async function leads(mic: Mic): Promise<void> {
  await mic.ready();
  await eventually('MIC leads', async () => (await mic.probed('/healthz')).body === 'Active');
}

/** Managed identities in Azure. */
export async function create(arm: ArmClient, ...names: readonly string[]): Promise<void> {
  await arm.createIdentities(...names.map(sampleIdentity));
}

/** Managed identities in Azure, each as an AzureIdentity with a binding for the pods labelled with its name. */
export async function bind(
  { lab, arm }: Pick<MicScene, 'lab' | 'arm'>,
  ...names: readonly string[]
): Promise<void> {
  await create(arm, ...names);
  await declare(lab, ...names);
}

/** The same, of identities that need not be there in Azure. */
export async function declare(lab: Lab, ...names: readonly string[]): Promise<void> {
  for (const { identity, binding } of names.map((name) => pair(name))) {
    await lab.kube.apply(identity);
    await lab.kube.apply(binding);
  }
}

/** A pod of the lab's node, with a network, labelled with `label`. */
export async function addPod(lab: Lab, name: string, label = name): Promise<void> {
  await lab.addPod({ name, labels: { aadpodidbinding: label } });
}

/** A pod of another node, which is an object alone. */
export async function addFarPod(lab: Lab, name: string, node: string, label: string): Promise<void> {
  const metadata = { name, namespace: 'default', labels: { aadpodidbinding: label } };
  const spec = { nodeName: node, containers: [{ name: 'app', image: 'lab' }] };
  await lab.kube.apply({ apiVersion: 'v1', kind: 'Pod', metadata, spec, status: { phase: 'Running' } });
}

export async function deletePod(lab: Lab, name: string): Promise<void> {
  await lab.kube.delete('Pod', name, { gracePeriodSeconds: 0 });
}

/** `POD IDENTITY STATE` of the assignments of these pods, sorted. */
export async function assignments(lab: Lab, ...pods: readonly string[]): Promise<string[]> {
  const all: KubeObject[] = await lab.kube.list('AzureAssignedIdentity');
  const lines = all.map(({ spec, status }) => {
    const { pod, azureIdentityRef } = spec as { pod: string; azureIdentityRef: KubeObject };
    return { pod, line: `${pod} ${azureIdentityRef.metadata.name} ${(status as { status: string }).status}` };
  });
  return lines
    .filter(({ pod }) => pods.includes(pod))
    .map(({ line }) => line)
    .sort();
}

/** Waits until the assignments of these pods are these, `POD IDENTITY STATE`. */
export async function assigned(lab: Lab, pods: readonly string[], wanted: readonly string[]): Promise<void> {
  const want = JSON.stringify([...wanted].sort());
  await eventually(`the assignments of ${pods} are ${want}`, async () => {
    return JSON.stringify(await assignments(lab, ...pods)) === want;
  });
}

/** A node on a VM of another resource group and subscription, with nothing on it. Gives the VM's ARM id. */
export async function addStranger(lab: Lab, arm: ArmClient, name: string): Promise<string> {
  const subscription = azureHome.subscription.replace(/0$/, 'f');
  const machine: ArmMachine = { kind: 'vm', subscription, resourceGroup: 'Elsewhere', name };
  await arm.addMachines(machine);
  const spec = { providerID: `azure://${armIdOf(machine)}` };
  await lab.kube.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name }, spec });
  return armIdOf(machine);
}

/** The short names of the identities on the VM or the scale set, and its type. */
export async function on(arm: ArmClient, machine: 'vm' | 'pool'): Promise<{ type: string; names: string[] }> {
  const path = machine === 'vm' ? 'virtualMachines/node1' : 'virtualMachineScaleSets/pool';
  const view = await arm.machine(`${providers}/${path}`);
  const names = (view?.userAssigned ?? []).map((id) => id.slice(id.lastIndexOf('/') + 1));
  return { type: view?.type ?? '', names };
}

/** Leaves these identities on a machine and no others, behind MIC's back; beside the VM's system-assigned one. */
export async function refit(
  arm: ArmClient,
  machine: 'vm' | 'pool',
  ...names: readonly string[]
): Promise<void> {
  const userAssigned = names.map((name) => sampleIdentity(name).resourceId);
  await arm.addMachines({ ...(machine === 'vm' ? vm : scaleSet), userAssigned });
}

/** The name of the identity that the pod gets a token of; the error's words where it gets none. */
export async function tokenOf(lab: Lab, pod: string, clientId?: string): Promise<string> {
  const url = clientId === undefined ? tokenUrl : `${tokenUrl}&client_id=${clientId}`;
  const { status, body } = await ask(lab, pod, url);
  if (status !== 200) return `${status} ${body.error_description}`;
  const mirid = String(claimsOf(String(body.access_token)).xms_mirid);
  return mirid.slice(mirid.lastIndexOf('/') + 1);
}
