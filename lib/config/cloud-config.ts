import type { Cloud } from '../model/clouds.ts';
import {
  type AzureFields,
  azureFieldsIn,
  azureFieldsOf,
  environmentNames,
  type FieldNames,
  fileNames,
} from './azure-json.ts';
import { cloudNamed } from './clouds.ts';
import type { Environment } from './parse.ts';

/** What MIC proves itself to Azure with. */
export type CloudCredential =
  /** Client id or ARM id; '' for the machine's system-assigned identity. */
  | { readonly kind: 'managed-identity'; readonly identity: string }
  /** `secret` is a function, so that no log and no inspection shows it. */
  | {
      readonly kind: 'service-principal';
      readonly tenant: string;
      readonly clientId: string;
      readonly secret: () => string;
    };

/** Which Azure MIC works on. Frozen. */
export interface CloudConfig {
  readonly cloud: Cloud;
  /** Where a node without a providerID is looked for. */
  readonly subscription: string;
  readonly resourceGroup: string;
  readonly credential: CloudCredential;
}

/** Where the cloud configuration comes from: texts of files, read by the caller. */
export interface CloudSources {
  /** The path that `--cloudconfig` names and the text there; undefined without that flag, when the environment counts. */
  readonly file: { readonly path: string; readonly text: string } | undefined;
  readonly env: Environment;
  /** The text of the file that AZURE_ENVIRONMENT_FILEPATH names; undefined where there is none. */
  readonly environmentFile: string | undefined;
}

/** The configuration, or what is wrong with it: one sentence that names the field and the cure, and no value that is secret. */
export function cloudConfigOf({ file, env, environmentFile }: CloudSources): CloudConfig | string {
  if (!file)
    return checked(azureFieldsOf(env), placesIn(environmentNames, 'the environment'), environmentFile);
  const fields = azureFieldsIn(file.text);
  if (!fields) return `${file.path} is neither JSON nor YAML with fields like "cloud" and "subscriptionId"`;
  return checked(fields, placesIn(fileNames, file.path), environmentFile);
}

/** A field as a sentence's subject. */
type PlaceOf = (field: keyof AzureFields) => string;

function placesIn(names: FieldNames, where: string): PlaceOf {
  return (field) => `${names[field]} in ${where}`;
}

function checked(
  fields: AzureFields,
  placeOf: PlaceOf,
  environmentFile: string | undefined,
): CloudConfig | string {
  const cloud = cloudNamed(fields.cloud, environmentFile);
  if (typeof cloud === 'string') return `${placeOf('cloud')}: ${cloud}`;
  if (!guid.test(fields.subscriptionId))
    return `${placeOf('subscriptionId')} is not the id of a subscription: it takes a GUID`;
  if (!group.test(fields.resourceGroup))
    return `${placeOf('resourceGroup')} is not the name of a resource group: it takes that of the nodes, MC_… on AKS`;
  const credential = credentialIn(fields, placeOf);
  if (typeof credential === 'string') return credential;
  return Object.freeze({
    ...{ cloud: Object.freeze({ ...cloud }), credential: Object.freeze(credential) },
    subscription: fields.subscriptionId,
    resourceGroup: fields.resourceGroup,
  });
}

/** A managed identity wins over a secret, as in the original: AKS writes "msi" in the secret's place. */
function credentialIn(fields: AzureFields, placeOf: PlaceOf): CloudCredential | string {
  const { useManagedIdentity, userAssignedIdentity: identity, tenantId, clientId, clientSecret } = fields;
  if (useManagedIdentity) {
    if (identity === '' || guid.test(identity) || armId.test(identity))
      return { kind: 'managed-identity', identity };
    return `${placeOf('userAssignedIdentity')} is no identity: it takes a client id, or nothing for the system-assigned one`;
  }
  const instead = `or set ${placeOf('useManagedIdentity')} to true`;
  if (!guid.test(tenantId) && !domain.test(tenantId))
    return `${placeOf('tenantId')} is not a tenant: it takes a GUID or a domain, ${instead}`;
  if (!guid.test(clientId))
    return `${placeOf('clientId')} is not the client id of a service principal: it takes a GUID, ${instead}`;
  if (clientSecret === '')
    return `${placeOf('clientSecret')} is missing: it takes the secret of the service principal, ${instead}`;
  return { kind: 'service-principal', tenant: tenantId, clientId, secret: () => clientSecret };
}

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const domain = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/i;
const group = /^(?!\.+$)[\p{L}\p{N}_().-]{1,90}$/u;
const armId =
  /^\/subscriptions\/[^/?#]+\/resourcegroups\/[^/?#]+\/providers\/microsoft\.managedidentity\/userassignedidentities\/[^/?#]+$/i;
