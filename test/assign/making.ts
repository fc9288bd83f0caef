import type { PlanSettings, SeenBinding, SeenIdentity } from '../../lib/assign/snapshot.ts';
import type { AssignedObject, MicPod } from '../../lib/model/assigned-object.ts';
import { bindingContent, identityContent } from '../../lib/model/content.ts';
import { aBinding, anIdentity } from '../fakes/model.ts';

export const home = { subscription: 'sub', resourceGroup: 'group' };

export const plainSettings: PlanSettings = {
  namespaced: false,
  home,
  graceMs: 300_000,
  prewarm: false,
  immutable: [],
};

/** The providerID of a VM or of an instance of a scale set. */
export const vmId = (name: string): string =>
  `azure:///subscriptions/sub/resourceGroups/group/providers/Microsoft.Compute/virtualMachines/${name}`;
export const vmssId = (name: string, instance = '0'): string =>
  `azure:///subscriptions/sub/resourceGroups/group/providers/Microsoft.Compute/virtualMachineScaleSets/${name}/virtualMachines/${instance}`;

/** The ARM id of a managed identity, as the portal writes it. */
export const armId = (name: string): string =>
  `/subscriptions/sub/resourcegroups/group/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`;

/** The pod `apps/web` on `node1` with the label `aadpodidbinding: web`, but for `fields`. */
export function aMicPod(fields: Partial<MicPod> = {}): MicPod {
  return {
    namespace: 'apps',
    name: 'web',
    uid: 'uid-web',
    node: 'node1',
    labels: { aadpodidbinding: 'web' },
    ended: false,
    ...fields,
  };
}

/** The identity `apps/demo`, but for `fields`; its content goes by the fields. */
export function aSeenIdentity(fields: Partial<SeenIdentity> = {}): SeenIdentity {
  const identity = anIdentity({ resourceId: armId(fields.name ?? 'demo'), ...fields });
  const { type, clientId, resourceId, namespaced, allowedNamespaces } = identity;
  const content = identityContent({ type, clientId, resourceId, allowedNamespaces }, namespaced);
  return {
    json: '{}',
    content,
    ...identity,
    ...(fields.content !== undefined && { content: fields.content }),
  };
}

/** The binding `apps/demo-binding` of `demo` for selector `web`, but for `fields`. */
export function aSeenBinding(fields: Partial<SeenBinding> = {}): SeenBinding {
  const binding = aBinding(fields);
  const { azureIdentity, selector, podSelector, weight } = binding;
  return {
    json: '{}',
    ...binding,
    content: bindingContent({ azureIdentity, selector, podSelector, weight }),
  };
}

/** What MIC made for pod `apps/web` on `node1`, a VM of that name, and has finished, but for `fields`. */
export function anObject(fields: Partial<AssignedObject> = {}): AssignedObject {
  const { identity = aSeenIdentity(), pod = 'web', podNamespace = 'apps', node = 'node1' } = fields;
  const binding = aSeenBinding();
  return {
    namespace: 'default',
    name: `${pod}-${podNamespace}-${identity.name}`,
    uid: 'uid-object',
    resourceVersion: '1',
    podNamespace,
    pod,
    node,
    state: 'Assigned',
    identity,
    identityContent: 'content' in identity ? String(identity.content) : '',
    binding,
    bindingContent: binding.content,
    machine: '',
    unassignSinceMs: undefined,
    lastUsedMs: undefined,
    hasFinalizer: true,
    deleting: false,
    label: node,
    ...fields,
  };
}
