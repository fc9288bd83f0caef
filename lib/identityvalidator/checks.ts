import type { HttpClient } from '../platform/http.ts';
import { failure, type Got } from '../workload/ask.ts';
import { askToken, claimsOf, type Imds, msiEndpointOf } from '../workload/token.ts';
import type { ValidatorConfig } from './flags.ts';
import { readSecret, type Secret, type VaultPlace } from './key-vault.ts';

/** One thing that must be so. */
export interface Check {
  /** Completes the sentence "failed to …". */
  readonly what: string;
  /** What is seen to be so, completing the sentence "successfully …". */
  readonly run: () => Promise<Got<string>>;
}

export interface Vault extends VaultPlace {
  readonly http: HttpClient;
  readonly secret: Secret;
  /** What the secret must hold. */
  readonly expected: string;
}

export interface CheckOptions {
  readonly imds: Imds;
  /** For whom ARM takes tokens. */
  readonly armAudience: string;
  /** Undefined: a token is all that an identity is asked for. */
  readonly vault: Vault | undefined;
}

/** The original's three: by client id and by resource id, where one is given, and a token without any id. */
export function checksOf(
  options: CheckOptions,
  { clientId, resourceId }: Pick<ValidatorConfig, 'clientId' | 'resourceId'>,
): readonly Check[] {
  const byClient = identityCheck(options, { clientId }, `clientID(${clientId})`);
  const byResource = identityCheck(options, { resourceId }, `resourceID(${resourceId})`);
  return [
    ...(clientId === '' ? [] : [byClient]),
    ...(resourceId === '' ? [] : [byResource]),
    defaultCheck(options),
  ];
}

function defaultCheck({ imds, armAudience }: CheckOptions): Check {
  const token = `a token using the MSI, msiEndpoint(${msiEndpointOf(imds)})`;
  return {
    what: `acquire ${token}`,
    run: async () => {
      const got = await askToken(imds, { resource: armAudience });
      return got.kind === 'got' ? { kind: 'got', value: `acquired ${token}` } : got;
    },
  };
}

type Id = { readonly clientId: string } | { readonly resourceId: string };

function identityCheck({ imds, armAudience, vault }: CheckOptions, id: Id, named: string): Check {
  const identity = `user-assigned identity on pod, ${named}`;
  const seen = vault ? `read secret ${vault.secret.name} of Key Vault ${vault.secret.vault}` : 'got a token';
  return {
    what: `verify ${identity}`,
    run: async () => {
      const token = await askToken(imds, { resource: vault?.audience ?? armAudience, ...id });
      if (token.kind === 'failure') return token;
      const stranger = strangerIn(token.value, id);
      if (stranger !== undefined) return failure(`the token is one of ${stranger}`, false);
      const read = vault ? await compareSecret(vault, token.value, imds.userAgent) : token;
      return read.kind === 'got' ? { kind: 'got', value: `verified ${identity}: ${seen}` } : read;
    },
  };
}

async function compareSecret(vault: Vault, bearer: string, userAgent: string): Promise<Got<string>> {
  const { http, secret, expected } = vault;
  const got = await readSecret(http, secret, { bearer, userAgent });
  if (got.kind === 'failure' || got.value === expected) return got;
  const which = `secret ${secret.name} of Key Vault ${secret.vault}`;
  return failure(`${which} holds something else than --keyvault-secret-value says`, false);
}

/** Whose token it is, where it says so and that is not who was asked for. */
function strangerIn(token: string, id: Id): string | undefined {
  const { appid, azp, xms_mirid: armId } = claimsOf(token);
  const [owner, asked] = 'clientId' in id ? [appid ?? azp, id.clientId] : [armId, id.resourceId];
  const isOther = typeof owner === 'string' && owner.toLowerCase() !== asked.toLowerCase();
  return isOther ? owner : undefined;
}
