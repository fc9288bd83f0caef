import type { AzureAssignedIdentity } from '../../lib/model/assigned-identity.ts';
import type { AzureIdentityBinding } from '../../lib/model/binding.ts';
import type { AzurePodIdentityException } from '../../lib/model/exception.ts';
import type { AzureIdentity } from '../../lib/model/identity.ts';
import type { Pod } from '../../lib/model/pod.ts';

/** A running pod `apps/web` with an address and the label `aadpodidbinding: web`, but for `fields`. */
export function aPod(fields: Partial<Pod> = {}): Pod {
  return {
    uid: 'uid-web',
    namespace: 'apps',
    name: 'web',
    node: 'node1',
    ips: ['10.0.0.7'],
    labels: { aadpodidbinding: 'web' },
    hostNetwork: false,
    phase: 'Running',
    activity: 'running',
    ...fields,
  };
}

/** The managed identity `apps/demo`, but for `fields`. */
export function anIdentity(fields: Partial<AzureIdentity> = {}): AzureIdentity {
  return {
    namespace: 'apps',
    name: 'demo',
    type: 0,
    clientId: 'c0ffee00-0000-4000-8000-00000000000a',
    resourceId:
      '/subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/demo',
    namespaced: false,
    allowedNamespaces: undefined,
    ...fields,
  };
}

/** The binding `apps/demo-binding` of `demo` for selector `web`, but for `fields`. */
export function aBinding(fields: Partial<AzureIdentityBinding> = {}): AzureIdentityBinding {
  return {
    namespace: 'apps',
    name: 'demo-binding',
    azureIdentity: 'demo',
    selector: 'web',
    podSelector: undefined,
    weight: 0,
    ...fields,
  };
}

/** An exception `apps/agents` for pods with `app: agent`, but for `fields`. */
export function anException(fields: Partial<AzurePodIdentityException> = {}): AzurePodIdentityException {
  return { namespace: 'apps', name: 'agents', podLabels: { app: 'agent' }, matchAll: false, ...fields };
}

/** The assignment `apps/web-apps-demo` of identity `demo` to pod `apps/web` on `node1`, done in Azure, but for `fields`. */
export function anAssigned(fields: Partial<AzureAssignedIdentity> = {}): AzureAssignedIdentity {
  return {
    namespace: 'apps',
    name: 'web-apps-demo',
    podNamespace: 'apps',
    pod: 'web',
    node: 'node1',
    state: 'Assigned',
    identity: anIdentity(),
    binding: { namespace: 'apps', name: 'demo-binding', weight: 0, selector: 'web' },
    ...fields,
  };
}
