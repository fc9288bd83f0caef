import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { IssuedToken, VmIdentity } from './types.ts';

/** The body of a token answer: the fields, order and string numbers of IMDS. */
export interface TokenAnswer {
  readonly body: string;
  readonly issued: IssuedToken;
}

/** A token whose claims tell whose it is, in the shape of Entra's v1 tokens; its signature is random. */
export function mintToken(
  identity: VmIdentity,
  resource: string,
  lifetimeSec: number,
  nowMs: number,
): TokenAnswer {
  const issuedAt = Math.floor(nowMs / 1000);
  const notBefore = issuedAt - 300;
  const expiresOn = issuedAt + lifetimeSec;
  const jti = randomUUID();
  const claims = {
    aud: resource,
    iss: `https://sts.windows.net/${identity.tenantId}/`,
    iat: issuedAt,
    nbf: notBefore,
    exp: expiresOn,
    appid: identity.clientId,
    appidacr: '2',
    idtyp: 'app',
    oid: identity.objectId,
    sub: identity.objectId,
    tid: identity.tenantId,
    jti,
    ver: '1.0',
    xms_mirid: identity.resourceId,
  };
  const fields = {
    access_token: [
      encode({ typ: 'JWT', alg: 'RS256', kid: 'lab' }),
      encode(claims),
      randomBytes(256).toString('base64url'),
    ].join('.'),
    client_id: identity.clientId,
    expires_in: String(lifetimeSec),
    expires_on: String(expiresOn),
    ext_expires_in: String(lifetimeSec),
    not_before: String(notBefore),
    resource,
    token_type: 'Bearer',
  };
  return { body: JSON.stringify(fields), issued: { jti, clientId: identity.clientId, resource, expiresOn } };
}

/** The claims of a token, unverified. Throws when it has none. */
export function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  >;
}

/** A user-assigned identity that is the same for the same name on every run. */
export function sampleIdentity(name: string): VmIdentity {
  return {
    clientId: guid(`${name}/client`),
    objectId: guid(`${name}/object`),
    tenantId: guid('tenant'),
    resourceId: `/subscriptions/${guid('subscription')}/resourcegroups/lab/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`,
  };
}

/** The system-assigned identity of the lab's VM. */
export function sampleSystemIdentity(): VmIdentity {
  const vm = `/subscriptions/${guid('subscription')}/resourcegroups/lab/providers/Microsoft.Compute/virtualMachines/node1`;
  return { ...sampleIdentity('node1'), resourceId: vm };
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

function guid(seed: string): string {
  const hex = createHash('sha256').update(seed).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
