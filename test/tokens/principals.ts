import type { AzureIdentity, ServicePrincipal } from '../../lib/model/identity.ts';
import { anIdentity } from '../fakes/model.ts';

export const tenantId = 'aaaaaaaa-0000-4000-8000-00000000000a';
export const otherTenant = 'bbbbbbbb-0000-4000-8000-00000000000b';
export const clientId = 'cccccccc-0000-4000-8000-00000000000c';

/** The service principal `apps/demo` with a client secret in the Secret `apps/demo-secret`, but for `fields`. */
export function aPrincipal(
  principal: Partial<ServicePrincipal> = {},
  fields: Partial<AzureIdentity> = {},
): AzureIdentity & { readonly servicePrincipal: ServicePrincipal } {
  const secret = { namespace: 'apps', name: 'demo-secret' };
  const servicePrincipal = { tenantId, adEndpoint: '', auxiliaryTenantIds: [], secret, ...principal };
  return { ...anIdentity({ type: 1, clientId, resourceId: '', ...fields }), servicePrincipal };
}
