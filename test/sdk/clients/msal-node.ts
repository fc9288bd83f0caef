import { ManagedIdentityApplication } from '@azure/msal-node';

/** `msal-node.ts RESOURCE CLIENT_ID` prints a token. Knows nothing of the lab. */
const [resource = '', userAssignedClientId = ''] = process.argv.slice(2);

try {
  const application = new ManagedIdentityApplication({ managedIdentityIdParams: { userAssignedClientId } });
  process.stdout.write((await application.acquireToken({ resource })).accessToken);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
