import assert from 'node:assert/strict';
import type { ArmClient } from '../arm/control.ts';
import { eventually } from '../eventually.ts';
import { sampleIdentity, sampleSystemIdentity } from '../imds/token.ts';
import type { KubeInput, KubeObject } from '../kube/object.ts';
import type { Lab } from '../lab.ts';
import { azureHome } from '../mic.ts';
import { bindingObject, identityObject } from '../objects.ts';

/** Standard mode: MIC assigns in Azure what a binding gives, and the agent waits for its word. */
const name = 'shop';

/** Starts MIC, and an agent in standard mode, on a VM that does not have the pod's identity yet. */
export async function startStandard(lab: Lab): Promise<string[]> {
  const arm = await lab.startArm();
  await arm.configure({ operationMs: 1_000, retryAfter: '1' });
  await arm.createIdentities(sampleIdentity(name));
  await addVm(arm);
  const mic = lab.startMic();
  const agent = lab.startAgent({ flags: { 'operation-mode': 'standard', 'identity-hold': 10 } });
  await Promise.all([mic.ready(), agent.ready()]);
  await eventually('MIC leads', async () => (await mic.probed('/healthz')).body === 'Active');
  return ['mic: Active, it holds the lease', 'agent: --operation-mode=standard, ready'];
}

/** Applies an identity, a binding and a pod, as a user does; MIC does the rest. */
export async function applyBinding(lab: Lab): Promise<string[]> {
  const applied = [
    identityObject(name, 'default', sampleIdentity(name)),
    bindingObject(name, 'default', name, name),
  ];
  for (const object of applied) await lab.kube.apply(object);
  await lab.addPod({ name, labels: { aadpodidbinding: name } });
  const event = await eventually('the binding is told as applied', () => eventOf(lab, 'binding applied'));
  const assigned = await lab.kube.get('AzureAssignedIdentity', `${name}-default-${name}`);
  assert.equal((assigned?.status as { status?: string } | undefined)?.status, 'Assigned');
  return [
    ...applied.map((object) => `${lowerKind(object)}/${name} created`),
    `pod/${name} created, labelled aadpodidbinding=${name}`,
    ...asTable(event),
  ];
}

async function addVm(arm: ArmClient): Promise<void> {
  const vm = { kind: 'vm', ...azureHome, name: 'node1', hasImds: true } as const;
  await arm.addMachines({ ...vm, systemAssigned: sampleSystemIdentity() });
}

async function eventOf(lab: Lab, reason: string): Promise<KubeObject | undefined> {
  const events = await lab.kube.list('Event');
  return events.find((event) => {
    const about = event.involvedObject as { kind: string; name: string };
    return event.reason === reason && about.kind === 'AzureIdentityBinding' && about.name === name;
  });
}

function lowerKind({ kind }: KubeInput): string {
  return `${kind.toLowerCase()}.aadpodidentity.k8s.io`;
}

/** As `kubectl get events` prints it. */
function asTable({ type, reason, message }: KubeObject): string[] {
  const row = [type, reason, `azureidentitybinding/${name}`, message].map(String);
  const head = ['TYPE', 'REASON', 'OBJECT', 'MESSAGE'];
  const widths = row.map((cell, at) => Math.max(cell.length, head[at]?.length ?? 0) + 3);
  return [head, row].map((cells) =>
    cells
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('')
      .trimEnd(),
  );
}
