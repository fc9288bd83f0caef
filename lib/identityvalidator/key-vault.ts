import { AppError } from '../model/errors.ts';
import type { HttpClient } from '../platform/http.ts';
import { askJson, failure, type Got, recordOf } from '../workload/ask.ts';
import type { Azure } from '../workload/azure.ts';

/** Where Key Vaults are, and for whom tokens must be there. */
export interface VaultPlace {
  /** `https://NAME.vault.azure.net` */
  readonly origin: string;
  readonly audience: string;
}

export interface Secret {
  readonly vault: string;
  readonly name: string;
  /** '' for the current one. */
  readonly version: string;
}

const domains: Readonly<Record<string, string>> = {
  AzurePublicCloud: 'vault.azure.net',
  AzureUSGovernmentCloud: 'vault.usgovcloudapi.net',
  AzureChinaCloud: 'vault.azure.cn',
};

const deadlineMs = 30_000;

/**
 * By the cloud, or by `keyVaultDNSSuffix` in the description of one of your own, the field of Azure's SDK for Go. Throws
 * AppError `flag-invalid` where that says nothing usable.
 */
export function vaultPlaceOf({ cloud, described }: Azure, vault: string): VaultPlace {
  const suffix = domains[cloud.name] ?? suffixIn(described ?? '');
  if (typeof suffix !== 'string' || !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/i.test(suffix)) {
    const what = `the domain of the Key Vaults of ${cloud.name} is not known`;
    const cure = 'keyVaultDNSSuffix in the file that AZURE_ENVIRONMENT_FILEPATH names takes it';
    throw new AppError('flag-invalid', `${what}: ${cure}`);
  }
  return { origin: `https://${vault}.${suffix}`, audience: `https://${suffix.replace(/:.*/, '')}` };
}

/** The value of a secret. It never enters a log or an error. */
export async function readSecret(
  http: HttpClient,
  { vault, name, version }: Secret,
  { bearer, userAgent }: { readonly bearer: string; readonly userAgent: string },
): Promise<Got<string>> {
  const whom = `Key Vault ${vault}`;
  const parts = version === '' ? [name] : [name, version];
  const path = `/secrets/${parts.map(encodeURIComponent).join('/')}?api-version=7.4`;
  const got = await askJson(http, { whom, path, headers: { 'user-agent': userAgent }, deadlineMs, bearer });
  if (got.kind === 'failure') return got;
  const { value } = got.value;
  return typeof value === 'string' ? { kind: 'got', value } : failure(`${whom} sent no value`, false);
}

function suffixIn(described: string): unknown {
  try {
    return recordOf(JSON.parse(described)).keyVaultDNSSuffix;
  } catch {
    return undefined;
  }
}
