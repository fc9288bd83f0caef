import { loadYaml } from '@kubernetes/client-node';
import type { Environment } from './parse.ts';

/** What the original read of azure.json, or of the environment. Absent texts are ''; nothing of it is checked yet. */
export interface AzureFields {
  readonly cloud: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly useManagedIdentity: boolean;
  readonly userAssignedIdentity: string;
}

/** How a person finds a field: its key in azure.json, or its variable and the key in the Secret that manifests take it from. */
export type FieldNames = Readonly<Record<keyof AzureFields, string>>;

export const fileNames: FieldNames = {
  cloud: 'cloud',
  tenantId: 'tenantId',
  clientId: 'aadClientId',
  clientSecret: 'aadClientSecret',
  subscriptionId: 'subscriptionId',
  resourceGroup: 'resourceGroup',
  useManagedIdentity: 'useManagedIdentityExtension',
  userAssignedIdentity: 'userAssignedIdentityID',
};

/** The environment; its values stand in the Secret aadpodidentity-admin-secret. */
export const environmentNames: FieldNames = {
  cloud: 'CLOUD',
  tenantId: 'TENANT_ID',
  clientId: 'CLIENT_ID',
  clientSecret: 'CLIENT_SECRET',
  subscriptionId: 'SUBSCRIPTION_ID',
  resourceGroup: 'RESOURCE_GROUP',
  useManagedIdentity: 'USE_MSI',
  userAssignedIdentity: 'USER_ASSIGNED_MSI_CLIENT_ID',
};

/**
 * The fields in the text of azure.json. It is JSON as a rule, and YAML for who wrote it for the original, which read that.
 * Undefined when it is neither, or no map; why is not said, since a parser quotes the text, and with it the secret.
 */
export function azureFieldsIn(text: string): AzureFields | undefined {
  const values = parse(text.replace(/^\uFEFF/, ''));
  return typeof values === 'object' && values !== null && !Array.isArray(values)
    ? fieldsOf((name) => (values as Readonly<Record<string, unknown>>)[name], fileNames)
    : undefined;
}

export function azureFieldsOf(env: Environment): AzureFields {
  return fieldsOf((name) => env[name], environmentNames);
}

function fieldsOf(valueAt: (name: string) => unknown, names: FieldNames): AzureFields {
  const text = (field: keyof AzureFields): string => {
    const value = valueAt(names[field]);
    // A Secret's value often ends with the line end of the file that it was made from.
    return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
  };
  return {
    cloud: text('cloud'),
    tenantId: text('tenantId'),
    clientId: text('clientId'),
    clientSecret: text('clientSecret'),
    subscriptionId: text('subscriptionId'),
    resourceGroup: text('resourceGroup'),
    useManagedIdentity: String(valueAt(names.useManagedIdentity)).trim().toLowerCase() === 'true',
    userAssignedIdentity: text('userAssignedIdentity'),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return parseYaml(text);
  }
}

function parseYaml(text: string): unknown {
  try {
    return loadYaml(text);
  } catch {
    return undefined;
  }
}
