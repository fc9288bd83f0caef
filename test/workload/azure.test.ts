import { join } from 'node:path';
import t from 'tap';
import { azureOf } from '../../lib/workload/azure.ts';

t.test('without a word, it is the public cloud and the address of every Azure VM', async (t) => {
  t.match(await azureOf({}), {
    imds: 'http://169.254.169.254',
    cloud: { name: 'AzurePublicCloud', arm: 'https://management.azure.com' },
    described: undefined,
  });
});

t.test('another cloud by its name, one of one’s own by its description', async (t) => {
  t.match(await azureOf({ AZURE_ENVIRONMENT: 'AZURECHINACLOUD' }), { cloud: { name: 'AzureChinaCloud' } });
  const file = join(
    t.testdir({
      cloud: '{"resourceManagerEndpoint":"https://arm.test","activeDirectoryEndpoint":"https://login.test"}',
    }),
    'cloud',
  );
  const env = { AZURE_ENVIRONMENT: 'AzureStackCloud', AZURE_ENVIRONMENT_FILEPATH: file };
  t.match(await azureOf(env), { cloud: { arm: 'https://arm.test' }, described: /login\.test/ });
});

t.test('the SDKs’ variable moves the metadata service', async (t) => {
  const azure = await azureOf({ AZURE_POD_IDENTITY_AUTHORITY_HOST: 'http://127.0.0.1:8080/' });
  t.equal(azure.imds, 'http://127.0.0.1:8080');
});

t.test('the proxy comes from the environment, in either spelling', async (t) => {
  t.same((await azureOf({})).proxy, { url: '', except: '' });
  const proxy = { url: 'http://proxy.test:3128', except: '.test,10.0.0.1' };
  t.same((await azureOf({ HTTPS_PROXY: 'proxy.test:3128', NO_PROXY: proxy.except })).proxy, proxy);
  t.same((await azureOf({ https_proxy: proxy.url, no_proxy: proxy.except })).proxy, proxy);
});

t.test('refuses, with the name of the variable, what cannot be meant', async (t) => {
  const bad: Record<string, string>[] = [
    { AZURE_ENVIRONMENT: 'AzureMoonCloud' },
    { AZURE_ENVIRONMENT: 'AzureStackCloud' },
    { AZURE_ENVIRONMENT_FILEPATH: '/nowhere/cloud.json' },
    { AZURE_POD_IDENTITY_AUTHORITY_HOST: 'http://user@169.254.169.254' },
    { AZURE_POD_IDENTITY_AUTHORITY_HOST: 'http://169.254.169.254/metadata' },
    { AZURE_POD_IDENTITY_AUTHORITY_HOST: 'file:///etc' },
    { AZURE_POD_IDENTITY_AUTHORITY_HOST: '169.254.169.254' },
    { HTTPS_PROXY: 'socks5://user:password@proxy.test' },
  ];
  for (const env of bad) {
    const [name = ''] = Object.keys(env);
    await t.rejects(azureOf(env), { code: 'flag-invalid', message: new RegExp(name) }, JSON.stringify(env));
  }
});
