import t from 'tap';
import { loadValidatorConfig } from '../../lib/identityvalidator/flags.ts';
import { vaultPlaceOf } from '../../lib/identityvalidator/key-vault.ts';
import { clouds } from '../../lib/model/clouds.ts';
import type { Azure } from '../../lib/workload/azure.ts';

const rest = { imds: 'http://169.254.169.254', proxy: { url: '', except: '' } };

t.test('every cloud has its own domain and audience', async (t) => {
  const places = [...new Set(clouds.values())].map(
    (cloud) => vaultPlaceOf({ ...rest, cloud, described: undefined }, 'kv1').origin,
  );
  t.same(places, [
    'https://kv1.vault.azure.net',
    'https://kv1.vault.usgovcloudapi.net',
    'https://kv1.vault.azure.cn',
  ]);
});

t.test('a cloud of one’s own says its domain, or there is no Key Vault', async (t) => {
  const cloud = {
    name: 'AzureStackCloud',
    arm: 'https://arm.test',
    armAudience: 'https://arm.test',
    login: 'x',
  };
  const described = (text: string): Azure => ({ ...rest, cloud, described: text });
  t.same(vaultPlaceOf(described('{"keyVaultDNSSuffix":"vault.test:8443"}'), 'kv1'), {
    origin: 'https://kv1.vault.test:8443',
    audience: 'https://vault.test',
  });
  for (const text of [
    '',
    '{}',
    '[]',
    '{"keyVaultDNSSuffix":7}',
    '{"keyVaultDNSSuffix":"a.test/?x"}',
    '{"keyVaultDNSSuffix":"a@b"}',
  ])
    t.throws(
      () => vaultPlaceOf(described(text), 'kv1'),
      { code: 'flag-invalid', message: /keyVaultDNSSuffix/ },
      text,
    );
});

t.test('a name that would make another host of the vault is refused', async (t) => {
  for (const name of ['kv', 'a.b', 'evil.test/x', 'a@evil', 'a'.repeat(25), 'kv1#'])
    t.throws(
      () => loadValidatorConfig([`--keyvault-name=${name}`, '--keyvault-secret-name=demo'], {}),
      { code: 'flag-invalid', message: /--keyvault-name/ },
      name,
    );
});

t.test('a vault without a secret, or a secret without a vault, is refused', async (t) => {
  for (const flag of ['--keyvault-name=kv1', '--keyvault-secret-name=demo'])
    t.throws(() => loadValidatorConfig([flag], {}), { code: 'flag-invalid', message: /go together/ });
});
