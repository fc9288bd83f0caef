import type { Json, KubeInput } from '../lab/kube/object.ts';
import type { KubeApi } from '../lab/kube/server.ts';
import { bindingObject, identityObject } from '../lab/objects.ts';

export const clientId = 'c0ffee00-0000-4000-8000-00000000000a';
export const resourceId =
  '/subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/demo';
const [objectId, tenantId] = ['0b1ec700-0000-4000-8000-000000000000', '7e4a47ed-0000-4000-8000-000000000000'];
export const demo = { clientId, resourceId, objectId, tenantId };

const crd = 'aadpodidentity.k8s.io/v1';

/** A pod as the kubelet tells of it, running and ready unless `status` says otherwise. */
export function aPodObject(
  name: string,
  namespace: string,
  { labels = {}, node = 'node1', spec = {}, status = {} }: PodFields = {},
): KubeInput {
  const startedAt = '2026-01-01T00:00:00Z';
  return {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels } },
    spec: { ...(node && { nodeName: node }), containers: [{ name: 'app', image: 'app:1' }], ...spec },
    status: {
      phase: 'Running',
      podIPs: [{ ip: '10.0.0.7' }],
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [{ name: 'app', state: { running: { startedAt } } }],
      ...status,
    },
  };
}

interface PodFields {
  readonly labels?: Readonly<Record<string, string>>;
  readonly node?: string;
  readonly spec?: Json;
  readonly status?: Json;
}

/** NMI's pod on `node`, with these arguments. */
export function anAgent(node: string, args: readonly string[] = [], status: Json = {}): KubeInput {
  const ofPod = (fieldPath: string): Json => ({ fieldRef: { fieldPath } });
  const env = [
    { name: 'NODE_NAME', valueFrom: ofPod('spec.nodeName') },
    { name: 'HOST_IP', valueFrom: ofPod('status.hostIP') },
  ];
  const container = {
    ...{ name: 'nmi', image: 'docker.io/library/pod-identity:0.1.0' },
    ...{ args: ['--node=$(NODE_NAME)', '--nmi-listen-address=$(HOST_IP)', ...args], env },
  };
  const spec = { hostNetwork: true, containers: [container] };
  const at = { hostIP: '10.0.0.1', ...status };
  return aPodObject(`nmi-${node}`, 'kube-system', { labels: { component: 'nmi' }, node, spec, status: at });
}

export function aMic(status: Json = {}): KubeInput {
  const spec = { containers: [{ name: 'mic', image: 'docker.io/library/pod-identity:0.1.0' }] };
  return aPodObject('mic-0', 'kube-system', { labels: { component: 'mic', app: 'mic' }, spec, status });
}

/** The assignment of `apps/demo` to `apps/web`, as MIC writes it. */
export function anAssignment(state: string, identity: Json = {}): KubeInput {
  const { spec } = identityObject('demo', 'apps', { ...demo });
  return {
    ...{ apiVersion: crd, kind: 'AzureAssignedIdentity' },
    metadata: { name: 'web-apps-demo', namespace: 'default', labels: { nodename: 'node1' } },
    spec: {
      ...{ pod: 'web', podNamespace: 'apps', nodename: 'node1' },
      azureIdentityRef: { metadata: { name: 'demo', namespace: 'apps' }, spec: { ...spec, ...identity } },
      azureBindingRef: {
        metadata: { name: 'demo-binding', namespace: 'apps' },
        spec: { azureIdentity: 'demo', selector: 'web' },
      },
    },
    status: { status: state },
  };
}

export const identity: KubeInput = identityObject('demo', 'apps', demo);
export const binding: KubeInput = bindingObject('demo-binding', 'apps', 'demo', 'web');
export const web: KubeInput = aPodObject('web', 'apps', { labels: { aadpodidbinding: 'web' } });
export const plainPod: KubeInput = aPodObject('web', 'apps');

/** A warning about an object, of the first of January unless `fields` say otherwise. */
export function aWarning(
  involvedObject: { readonly kind: string; readonly namespace: string; readonly name: string },
  fields: Readonly<Record<string, string>>,
): KubeInput {
  const { namespace, name } = involvedObject;
  const { reason = 'Trouble' } = fields;
  return {
    ...{ apiVersion: 'v1', kind: 'Event', metadata: { name: `${name}.${reason.toLowerCase()}`, namespace } },
    ...{ involvedObject, type: 'Warning', reason, lastTimestamp: '2026-01-01T00:00:00Z', ...fields },
  };
}

/** The same with other fields in its spec. */
export function withSpec(object: KubeInput, spec: Json): KubeInput {
  return { ...object, spec: { ...object.spec, ...spec } };
}

export function put(api: KubeApi, objects: readonly KubeInput[]): void {
  for (const object of objects) api.put(object);
}

export const standard = anAgent('node1');
export const managed = anAgent('node1', ['--operation-mode=managed']);
