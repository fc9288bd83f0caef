import type { Test } from 'tap';
import type { KubeInput, KubeObject } from '../kube/object.ts';
import type { Lab } from '../lab.ts';
import { pair } from '../nmi/standard-scene.ts';
import { type Assignment, assignedObject } from '../objects.ts';
import * as scene from './scene.ts';

/** The original's MIC, as far as ours meets it: its lock, and the objects that it leaves. */
export const originalName = 'mic-5d9c7';
const finalizers = ['azureassignedidentity.finalizers.aadpodidentity.k8s.io'];
const lock = 'control-plane.alpha.kubernetes.io/leader';

/** What its leader writes every few seconds. */
function lockAt(second: number): KubeInput {
  const record = { holderIdentity: originalName, leaseDurationSeconds: 2, renewTime: `${second}` };
  const annotations = { [lock]: JSON.stringify(record) };
  const metadata = { namespace: 'default', name: 'aad-pod-identity-mic', annotations };
  return { apiVersion: 'v1', kind: 'Endpoints', metadata };
}

/** Writes the lock until what it gives is called. */
export async function originalAtWork(t: Test, lab: Lab): Promise<() => void> {
  let second = 0;
  const renew = (): Promise<unknown> => lab.kube.apply(lockAt(second++));
  await renew();
  const timer = setInterval(() => void renew().catch(() => undefined), 500);
  const stop = (): void => clearInterval(timer);
  t.teardown(stop);
  return stop;
}

/** The assignment that it leaves for pod `name`, which need not be there, with identity and binding of that name. */
export async function assignedByOriginal(
  lab: Lab,
  name: string,
  fields: Partial<Pick<Assignment, 'state' | 'node'>> = {},
): Promise<KubeObject> {
  await scene.declare(lab, name);
  const { identity, binding } = pair(name);
  // Applied once more, they come back as they stand: the original copies them whole.
  const copies = { identity: await lab.kube.apply(identity), binding: await lab.kube.apply(binding) };
  const object = assignedObject({ name, namespace: 'default' }, { ...copies, state: 'Assigned', ...fields });
  return lab.kube.apply({ ...object, metadata: { ...object.metadata, finalizers } });
}

/**
 * What the original's MIC, come back, would change of the assignment of pod `name`, by its own comparison; nothing where it leaves it
 * alone. It goes by the versions of what is embedded, and tries again what is not Assigned.
 */
export async function changedByOriginal(lab: Lab, name: string): Promise<readonly string[]> {
  const object = await lab.kube.get('AzureAssignedIdentity', `${name}-default-${name}`);
  if (!object) return ['no object of its name'];
  const { spec, status, metadata } = object as KubeObject & { spec: Spec; status: { status: string } };
  const versionOf = async (kind: 'AzureIdentity' | 'AzureIdentityBinding'): Promise<string> =>
    `${name} ${(await lab.kube.get(kind, name))?.metadata.resourceVersion}`;
  const copied = ({ metadata: { name, resourceVersion } }: KubeObject): string =>
    `${name} ${resourceVersion}`;
  const node = (await lab.kube.get('Pod', name))?.spec?.nodeName;
  const compared = {
    identity: [copied(spec.azureIdentityRef), await versionOf('AzureIdentity')],
    binding: [copied(spec.azureBindingRef), await versionOf('AzureIdentityBinding')],
    pod: [`${spec.podNamespace}/${spec.pod}`, `default/${name}`],
    node: [spec.nodename, node],
    label: [metadata.labels?.nodename, node],
    finalizers: [metadata.finalizers?.join(), finalizers.join()],
    state: [status.status, 'Assigned'],
  };
  return Object.entries(compared).flatMap(([what, [is, should]]) => (is === should ? [] : [what]));
}

interface Spec {
  readonly azureIdentityRef: KubeObject;
  readonly azureBindingRef: KubeObject;
  readonly pod: string;
  readonly podNamespace: string;
  readonly nodename: string;
}
