import { DefaultAzureCredential, ManagedIdentityCredential } from '@azure/identity';

/** `azure-identity.ts client-id|resource-id|none|default RESOURCE ID` prints a token. Knows nothing of the lab. */
const [way = '', resource = '', id = ''] = process.argv.slice(2);

const credentials = {
  'client-id': () => new ManagedIdentityCredential({ clientId: id }),
  'resource-id': () => new ManagedIdentityCredential({ resourceId: id }),
  none: () => new ManagedIdentityCredential(),
  default: () => new DefaultAzureCredential(),
};

try {
  const credential = credentials[way as keyof typeof credentials]();
  process.stdout.write((await credential.getToken(`${resource}/.default`)).token);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
