import { loginHosts } from '../model/clouds.ts';
import { type AzureIdentity, identityTypes, type ServicePrincipal } from '../model/identity.ts';
import { clean } from '../model/text.ts';

/** The public cloud's, which the original used unless an identity said otherwise. */
const usual = 'login.microsoftonline.com';

/** As many as the original took. */
const mostAuxiliary = 3;

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const domain = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/;

/** Whom a service principal asks. */
export interface Authority {
  /** A host that its credential may be sent to. */
  readonly host: string;
  /** In lower case; the primary one first. */
  readonly tenants: readonly [string, ...string[]];
}

/**
 * Whom this identity asks, or why its credential is sent to nobody: one sentence about the object, for its author. `allowed`
 * are hosts beside those of the known clouds.
 */
export function authorityOf(
  identity: AzureIdentity & { readonly servicePrincipal: ServicePrincipal },
  allowed: readonly string[],
): Authority | string {
  const { adEndpoint, tenantId, auxiliaryTenantIds } = identity.servicePrincipal;
  const host = adEndpoint === '' ? usual : hostOf(adEndpoint);
  if (host === undefined)
    return `its adEndpoint ${clean(adEndpoint)} is not https:// and a host, without user, port or path`;
  if (!loginHosts.has(host) && !allowed.includes(host)) {
    return `its adEndpoint ${clean(adEndpoint)} is not one of the known clouds, nor in --allowed-ad-endpoints of the agent`;
  }
  // The original ignored the auxiliary tenants of a certificate.
  const auxiliary = identity.type === identityTypes.servicePrincipalSecret ? auxiliaryTenantIds : [];
  if (auxiliary.length > mostAuxiliary) return `it has more than ${mostAuxiliary} auxiliaryTenantIDs`;
  for (const tenant of [tenantId, ...auxiliary]) {
    if (tenant === '') return 'it has an empty tenantID';
    if (!isTenant(tenant)) return `its tenantID ${clean(tenant)} is neither a GUID nor a domain`;
  }
  const [first, ...others] = [tenantId, ...auxiliary].map((tenant) => tenant.toLowerCase());
  return { host, tenants: [first ?? '', ...others] };
}

/** Only this is used of the URL, so nothing else of it can lead anywhere. */
function hostOf(adEndpoint: string): string | undefined {
  if (!URL.canParse(adEndpoint)) return undefined;
  const { protocol, username, password, port, pathname, search, hash, hostname } = new URL(adEndpoint);
  const bare = [username, password, port, search, hash].every((part) => part === '') && pathname === '/';
  return protocol === 'https:' && bare ? hostname : undefined;
}

/** It becomes a part of the token endpoint's path; `common` and `organizations` are no tenants. */
function isTenant(tenant: string): boolean {
  const lower = tenant.toLowerCase();
  return guid.test(lower) || domain.test(lower);
}
