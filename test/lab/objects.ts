import { addresses, nodeName } from './addresses.ts';
import type { VmIdentity } from './imds/types.ts';
import type { Json, KubeInput } from './kube/object.ts';
import type { PodState } from './state.ts';

/** Kubernetes objects of the lab, as kubelet and a user would write them. */
const identityApi = 'aadpodidentity.k8s.io/v1';

export function nodeObject(): KubeInput {
  const status = { addresses: [{ type: 'InternalIP', address: addresses.node }] };
  return { apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName }, status };
}

/** A pod of the lab's node, its one container running. */
export function podObject(pod: PodState, labels: Readonly<Record<string, string>>): KubeInput {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: pod.name, namespace: pod.namespace, labels: { ...labels } },
    spec: { nodeName, hostNetwork: pod.hostNetwork, containers: [{ name: 'app', image: 'lab' }] },
    status: runningStatus(pod),
  };
}

function runningStatus(pod: PodState): Json {
  const startedAt = new Date().toISOString();
  return {
    phase: 'Running',
    hostIP: addresses.node,
    podIP: pod.ip,
    podIPs: [{ ip: pod.ip }],
    startTime: startedAt,
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses: [
      {
        ...{ name: 'app', image: 'lab', imageID: '', ready: true, started: true, restartCount: 0 },
        state: { running: { startedAt } },
      },
    ],
  };
}

/** A user-assigned identity (type 0) under the name `name`. */
export function identityObject(name: string, namespace: string, identity: VmIdentity): KubeInput {
  const spec = { type: 0, resourceID: identity.resourceId, clientID: identity.clientId };
  return { apiVersion: identityApi, kind: 'AzureIdentity', metadata: { name, namespace }, spec };
}

/** A service principal; `spec` as a user writes it. */
export function principalObject(name: string, namespace: string, spec: Json): KubeInput {
  return { apiVersion: identityApi, kind: 'AzureIdentity', metadata: { name, namespace }, spec };
}

export function secretObject(
  name: string,
  namespace: string,
  content: Readonly<Record<string, string | Buffer>>,
): KubeInput {
  const encoded = Object.entries(content).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  const data = Object.fromEntries(encoded) as Json;
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, data };
}

/** Gives `azureIdentity` to the pods labelled `aadpodidbinding: selector`. */
export function bindingObject(
  name: string,
  namespace: string,
  azureIdentity: string,
  selector: string,
): KubeInput {
  const spec = { azureIdentity, selector };
  return { apiVersion: identityApi, kind: 'AzureIdentityBinding', metadata: { name, namespace }, spec };
}

export function exceptionObject(
  name: string,
  namespace: string,
  podLabels: Readonly<Record<string, string>>,
): KubeInput {
  return {
    apiVersion: identityApi,
    kind: 'AzurePodIdentityException',
    metadata: { name, namespace },
    spec: { podLabels },
  };
}

/** How far an assignment has come; '' is what MICs before 1.5 left, and means Assigned. */
export type AssignmentState = '' | 'Created' | 'Assigned' | 'Unassigned';

/** An identity, the binding that gives it, and where MIC stands with it. */
export interface Assignment {
  readonly identity: KubeInput;
  readonly binding: KubeInput;
  readonly state: AssignmentState;
  /** The lab's node unless said. */
  readonly node?: string;
}

/** MIC's word that a pod may have an identity, in the namespace and under the name that MIC 1.8.17 gives it. */
export function assignedObject(
  pod: Pick<PodState, 'name' | 'namespace'>,
  { identity, binding, state, node = nodeName }: Assignment,
): KubeInput {
  const name = `${pod.name}-${pod.namespace}-${identity.metadata.name}`;
  return {
    apiVersion: identityApi,
    kind: 'AzureAssignedIdentity',
    metadata: { name, namespace: 'default', labels: { nodename: node } },
    spec: {
      azureIdentityRef: identity,
      azureBindingRef: binding,
      ...{ pod: pod.name, podNamespace: pod.namespace, nodename: node },
    },
    ...(state !== '' && { status: { status: state, availableReplicas: 1 } }),
  };
}
