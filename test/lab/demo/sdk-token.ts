import { DefaultAzureCredential, ManagedIdentityCredential } from '@azure/identity';
import { ManagedIdentityApplication } from '@azure/msal-node';

/**
 * What an app does, with the SDKs as shipped: `sdk-token.ts WHICH RESOURCE [CLIENT_ID]` prints the token. Runs inside a pod;
 * knows nothing of the lab.
 */
const resource = process.argv[3] ?? '';
const clientId = process.argv[4];
const scope = `${resource}/.default`;

const ways: Readonly<Record<string, () => Promise<string | undefined>>> = {
  ManagedIdentityCredential: async () => {
    const credential = clientId
      ? new ManagedIdentityCredential({ clientId })
      : new ManagedIdentityCredential();
    return (await credential.getToken(scope)).token;
  },
  DefaultAzureCredential: async () => (await new DefaultAzureCredential().getToken(scope)).token,
  'msal-node': async () => (await new ManagedIdentityApplication().acquireToken({ resource })).accessToken,
};

const way = ways[process.argv[2] ?? ''];
if (!way) throw new Error(`one of ${Object.keys(ways).join(', ')}, then the resource`);
process.stdout.write((await way()) ?? '');
