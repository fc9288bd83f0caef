import { inspect } from 'node:util';
import t from 'tap';
import { type CloudConfig, type CloudSources, cloudConfigOf } from '../../lib/config/cloud-config.ts';

const guid = 'c0ffee00-0000-4000-8000-00000000000a';
const secret = 'hunter2:\n- "x';
const principal = {
  cloud: 'AzurePublicCloud',
  tenantId: 'contoso.onmicrosoft.com',
  aadClientId: guid,
  aadClientSecret: secret,
  subscriptionId: guid,
  resourceGroup: 'MC_lab_lab_westeurope',
};
/** As AKS writes it. */
const aks = {
  ...principal,
  ...{ aadClientId: 'msi', aadClientSecret: 'msi', vmType: 'vmss', useManagedIdentityExtension: true },
  userAssignedIdentityID: guid,
};

function fromFile(value: unknown, environmentFile?: string): CloudConfig | string {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 4);
  return cloudConfigOf({ file: { path: '/etc/kubernetes/azure.json', text }, env: {}, environmentFile });
}

/** Throws the sentence where there is no configuration. */
function good(config: CloudConfig | string): CloudConfig {
  if (typeof config === 'string') throw new Error(config);
  return config;
}

t.test(
  'reads azure.json as AKS writes it: the managed identity, although a secret stands there',
  async (t) => {
    t.strictSame(good(fromFile(aks)), {
      cloud: {
        name: 'AzurePublicCloud',
        arm: 'https://management.azure.com',
        armAudience: 'https://management.azure.com',
        login: 'login.microsoftonline.com',
      },
      subscription: guid,
      resourceGroup: 'MC_lab_lab_westeurope',
      credential: { kind: 'managed-identity', identity: guid },
    });
    t.match(good(fromFile({ ...aks, userAssignedIdentityID: '' })), { credential: { identity: '' } });
  },
);

t.test('reads YAML, as the original did, and a byte order mark before either', async (t) => {
  const yaml = `cloud: azurecloud # public\nsubscriptionId: ${guid}\nresourceGroup: 'g'\nuseManagedIdentityExtension: "True"\n`;
  t.match(good(fromFile(yaml)), {
    resourceGroup: 'g',
    credential: { kind: 'managed-identity', identity: '' },
  });
  t.match(good(fromFile(`\uFEFF${JSON.stringify(aks)}`)), { subscription: guid });
});

t.test('reads the environment without a file, with line ends that Secrets bring along', async (t) => {
  const env = {
    ...{
      CLOUD: 'AzureUSGovernment\n',
      TENANT_ID: `${guid}\n`,
      CLIENT_ID: guid,
      CLIENT_SECRET: `${secret}\n`,
    },
    ...{ SUBSCRIPTION_ID: guid, RESOURCE_GROUP: 'Gruppe_(süd)\r\n', VM_TYPE: 'vmss' },
  };
  const config = good(cloudConfigOf({ file: undefined, env, environmentFile: undefined }));
  t.match(config, {
    cloud: { arm: 'https://management.usgovcloudapi.net', login: 'login.microsoftonline.us' },
    resourceGroup: 'Gruppe_(süd)',
    credential: { kind: 'service-principal', tenant: guid, clientId: guid },
  });
  t.equal(config.credential.kind === 'service-principal' && config.credential.secret(), secret);
  const msi = good(
    cloudConfigOf({ file: undefined, env: { ...env, USE_MSI: 'tRUE' }, environmentFile: undefined }),
  );
  t.same(msi.credential, { kind: 'managed-identity', identity: '' });
});

t.test('the file alone counts where there is one', async (t) => {
  const sources: CloudSources = {
    file: { path: 'azure.json', text: JSON.stringify({ ...aks, cloud: '' }) },
    env: { CLOUD: 'AzurePublicCloud' },
    environmentFile: undefined,
  };
  t.match(cloudConfigOf(sources), /^cloud in azure\.json: it takes AzurePublicCloud/);
});

t.test('is frozen, and shows its secret to nobody who prints it', async (t) => {
  const config = good(fromFile(principal));
  t.ok([config, config.cloud, config.credential].every((part) => Object.isFrozen(part)));
  for (const shown of [
    inspect(config, { depth: 9, showHidden: true }),
    JSON.stringify(config),
    String(config),
  ])
    t.notMatch(shown, /hunter2/);
});

t.test('says in one sentence which field is wrong and what it takes, and quotes no secret', async (t) => {
  const cases: [unknown, string][] = [
    ['{"aadClientSecret": "hunter2"', '/etc/kubernetes/azure.json is neither JSON nor YAML with fields'],
    ['aadClientSecret: "hunter2', '/etc/kubernetes/azure.json is neither'],
    ['', '/etc/kubernetes/azure.json is neither'],
    ['[1]', '/etc/kubernetes/azure.json is neither'],
    [{ ...aks, cloud: undefined }, 'cloud in /etc/kubernetes/azure.json: it takes AzurePublicCloud, '],
    [
      { ...aks, cloud: 'Azure\u001bCloud' },
      'cloud in /etc/kubernetes/azure.json: Azure?Cloud is no cloud: it takes ',
    ],
    [
      { ...aks, cloud: 'AzureGermanCloud' },
      'cloud in /etc/kubernetes/azure.json: AzureGermanCloud was shut down',
    ],
    [
      { ...aks, cloud: 'AzureStackCloud' },
      'cloud in /etc/kubernetes/azure.json: AzureStackCloud is described by the file',
    ],
    [
      { ...aks, subscriptionId: '<SubscriptionID>' },
      'subscriptionId in /etc/kubernetes/azure.json is not the id',
    ],
    [{ ...aks, resourceGroup: 'a/../b' }, 'resourceGroup in /etc/kubernetes/azure.json is not the name'],
    [{ ...aks, resourceGroup: '..' }, 'resourceGroup in /etc/kubernetes/azure.json is not the name'],
    [
      { ...aks, userAssignedIdentityID: 'x&y' },
      'userAssignedIdentityID in /etc/kubernetes/azure.json is no identity',
    ],
    [{ ...principal, tenantId: 'common/../x' }, 'tenantId in /etc/kubernetes/azure.json is not a tenant'],
    [{ ...principal, aadClientId: 'msi' }, 'aadClientId in /etc/kubernetes/azure.json is not the client id'],
    [
      { ...principal, aadClientSecret: '' },
      'aadClientSecret in /etc/kubernetes/azure.json is missing: it takes the secret',
    ],
  ];
  for (const [value, sentence] of cases) {
    const refusal = fromFile(value);
    t.type(refusal, 'string', sentence);
    t.ok(String(refusal).startsWith(sentence), String(refusal));
    t.notMatch(String(refusal), /hunter2/);
  }
  const env = { CLOUD: 'AzurePublicCloud', SUBSCRIPTION_ID: guid, RESOURCE_GROUP: 'g' };
  t.match(
    cloudConfigOf({ file: undefined, env, environmentFile: undefined }),
    /^TENANT_ID in the environment is not a tenant: it takes a GUID or a domain, or set USE_MSI in the environment to true$/,
  );
});
