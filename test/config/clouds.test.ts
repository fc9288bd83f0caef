import t from 'tap';
import { cloudNamed } from '../../lib/config/clouds.ts';
import { clouds, loginHosts } from '../../lib/model/clouds.ts';

t.test('knows the clouds by every name of theirs, in any letter case', async (t) => {
  const cases = [
    ['AzurePublicCloud', 'management.azure.com', 'login.microsoftonline.com'],
    ['AZURECLOUD', 'management.azure.com', 'login.microsoftonline.com'],
    ['AzureUSGovernmentCloud', 'management.usgovcloudapi.net', 'login.microsoftonline.us'],
    ['azureusgovernment', 'management.usgovcloudapi.net', 'login.microsoftonline.us'],
    ['AzureChinaCloud', 'management.chinacloudapi.cn', 'login.chinacloudapi.cn'],
  ] as const;
  for (const [name, arm, login] of cases)
    t.match(
      cloudNamed(name, undefined),
      { arm: `https://${arm}`, armAudience: `https://${arm}`, login },
      name,
    );
  for (const { login } of clouds.values()) t.ok(loginHosts.has(login));
});

const stack = {
  name: 'AzureStackCloud',
  resourceManagerEndpoint: 'https://Management.local.azurestack.external/',
  activeDirectoryEndpoint: 'https://login.windows.net/',
};

t.test('takes a custom cloud from its description', async (t) => {
  t.same(cloudNamed('azurestackcloud', JSON.stringify(stack)), {
    name: 'AzureStackCloud',
    arm: 'https://management.local.azurestack.external',
    armAudience: 'https://management.local.azurestack.external',
    login: 'login.windows.net',
  });
  const audience = {
    tokenAudience: 'https://management.contoso.com/1234/',
    resourceManagerEndpoint: 'https://10.0.0.1:8443',
  };
  t.match(cloudNamed('AzureStackCloud', JSON.stringify({ ...stack, ...audience })), {
    arm: 'https://10.0.0.1:8443',
    armAudience: 'https://management.contoso.com/1234',
  });
});

t.test(
  'says what is wrong with a description, and sends tokens to nothing but an https origin',
  async (t) => {
    t.match(cloudNamed('AzureStackCloud', undefined), /AZURE_ENVIRONMENT_FILEPATH names: set it/);
    t.match(cloudNamed('AzureStackCloud', 'name: x'), /not a JSON object/);
    const bad = [
      'http://arm',
      'https://arm/path',
      'https://me@arm',
      'https://arm?x',
      'arm',
      '',
      7,
      undefined,
    ];
    for (const value of bad) {
      const endpoint = JSON.stringify({ ...stack, resourceManagerEndpoint: value });
      t.match(
        cloudNamed('AzureStackCloud', endpoint),
        /^resourceManagerEndpoint in .* takes https:\/\/ and a host/,
        String(value),
      );
      const login = JSON.stringify({ ...stack, activeDirectoryEndpoint: value });
      t.match(cloudNamed('AzureStackCloud', login), /^activeDirectoryEndpoint in /, String(value));
    }
  },
);
