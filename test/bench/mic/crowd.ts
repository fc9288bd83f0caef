import { newBody } from '../../../lib/kube/assigned-body.ts';
import { armId, vmssId } from '../../assign/making.ts';
import { sampleIdentity } from '../../lab/imds/token.ts';

/** A large cluster, each object made up when it is asked for; the same for the same number. */
export interface Crowd {
  readonly pods: number;
  /** Each of the first workloads has one, and a binding; their pods have assignments. */
  readonly identities: number;
}

const [perNode, perWorkload, nodesPerSet] = [100, 50, 50];

/** What a container of an ordinary workload weighs: environment, mounts, probes. */
const padding = Array.from({ length: 12 }, (_, i) => ({ name: `SETTING_${i}`, value: 'v'.repeat(80) }));
const managedFields = Array.from({ length: 3 }, (_, i) => ({
  ...{ manager: `manager-${i}`, operation: 'Update', apiVersion: 'v1', time: '2026-01-01T00:00:00Z' },
  fieldsV1: Object.fromEntries(padding.map(({ name }) => [`f:${name}`, { 'f:value': {}, 'f:name': {} }])),
}));

/** Of object `index` of that kind; names are those that workloads and scale sets have. */
export const crowd = {
  pods: (index: number): object => {
    const { name, namespace, workload, node } = podOf(index);
    const labels = {
      ...{ app: workload, 'app.kubernetes.io/part-of': 'shop', 'pod-template-hash': '7d9c5b6f4' },
      aadpodidbinding: workload,
      // One pod in ten belongs to a StatefulSet, which gives each a label of its own.
      ...(index % 10 === 0 && { 'statefulset.kubernetes.io/pod-name': name }),
    };
    const address = `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
    const uid = uidOf(0, index);
    const metadata = { name, namespace, uid, resourceVersion: `${index + 1}`, labels, managedFields };
    return {
      metadata,
      spec: { nodeName: node, containers: [{ name: 'c', image: 'i', env: padding }] },
      status: { phase: 'Running', podIP: address, podIPs: [{ ip: address }], conditions: padding },
    };
  },
  nodes: (index: number): object => ({
    metadata: { name: nodeOf(index), uid: uidOf(1, index), resourceVersion: '1', managedFields },
    spec: { providerID: providerIdOf(index) },
    status: { conditions: padding, images: padding },
  }),
  azureidentities: (index: number): object => ({
    metadata: { ...placeOf(index), uid: uidOf(2, index), resourceVersion: '1', generation: 1 },
    spec: { type: 0, ...idsOf(index) },
  }),
  azureidentitybindings: (index: number): object => ({
    metadata: { ...placeOf(index), uid: uidOf(3, index), resourceVersion: '1', generation: 1 },
    spec: { azureIdentity: placeOf(index).name, selector: `workload-${index}` },
  }),
  azureassignedidentities: (index: number): object => {
    const { name, namespace, node } = podOf(index);
    const of = Math.floor(index / perWorkload);
    const typed = { apiVersion: 'aadpodidentity.k8s.io/v1' };
    const identity = { ...typed, kind: 'AzureIdentity', ...crowd.azureidentities(of) };
    const binding = { ...typed, kind: 'AzureIdentityBinding', ...crowd.azureidentitybindings(of) };
    const target = {
      ...{ namespace: 'default', name: `${name}-${namespace}-${placeOf(of).name}` },
      ...{ pod: name, podNamespace: namespace, node },
      ...{ identity: { json: JSON.stringify(identity) }, binding: { json: JSON.stringify(binding) } },
    };
    const machine = providerIdOf(Math.floor(index / perNode))
      .slice('azure://'.length)
      .replace(/\/virtualMachines\/\d+$/, '');
    const body = newBody(target, { machine, unassignSinceMs: undefined, lastUsedMs: undefined });
    const metadata = {
      ...(body.metadata as object),
      uid: uidOf(4, index),
      resourceVersion: '1',
      managedFields,
    };
    return { ...body, metadata, status: { status: 'Assigned', availableReplicas: 1 } };
  },
} as const;

export type CrowdKind = keyof typeof crowd;

export function countsOf({ pods, identities }: Crowd): Readonly<Record<CrowdKind, number>> {
  return {
    pods,
    nodes: Math.ceil(pods / perNode),
    azureidentities: identities,
    azureidentitybindings: identities,
    azureassignedidentities: Math.min(pods, identities * perWorkload),
  };
}

function podOf(index: number): { name: string; namespace: string; workload: string; node: string } {
  const workload = `workload-${Math.floor(index / perWorkload)}`;
  const name = `${workload}-7d9c5b6f4-${index.toString(36).padStart(5, 'x')}`;
  return { name, namespace: `team-${index % 200}`, workload, node: nodeOf(Math.floor(index / perNode)) };
}

const setOf = (node: number): string => `aks-pool${Math.floor(node / nodesPerSet)}-12345678-vmss`;
const nodeOf = (node: number): string => `${setOf(node)}${node.toString(36).padStart(6, '0')}`;
const providerIdOf = (node: number): string => vmssId(setOf(node), String(node));

const placeOf = (identity: number): { namespace: string; name: string } => ({
  namespace: `team-${identity % 200}`,
  name: `identity-${identity}`,
});

function idsOf(identity: number): { clientID: string; resourceID: string } {
  const { name } = placeOf(identity);
  return { clientID: sampleIdentity(name).clientId, resourceID: armId(name) };
}

function uidOf(kind: number, index: number): string {
  return `${kind}0000000-0000-4000-8000-${index.toString(16).padStart(12, '0')}`;
}
