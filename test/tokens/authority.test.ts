import t from 'tap';
import { authorityOf } from '../../lib/tokens/authority.ts';
import { aPrincipal } from './principals.ts';

const tenant = 'AAAAAAAA-0000-4000-8000-00000000000A';
const lower = tenant.toLowerCase();
const at = (adEndpoint: string, allowed: readonly string[] = []): unknown =>
  authorityOf(aPrincipal({ tenantId: tenant, adEndpoint }), allowed);

t.test('asks the public cloud unless the identity says otherwise', async (t) => {
  t.same(at(''), { host: 'login.microsoftonline.com', tenants: [lower] });
});

t.test('knows the clouds by their hosts, in every spelling of the same origin', async (t) => {
  const spellings = {
    'https://login.microsoftonline.com': 'login.microsoftonline.com',
    'https://login.microsoftonline.com/': 'login.microsoftonline.com',
    'HTTPS://Login.MicrosoftOnline.COM:443/': 'login.microsoftonline.com',
    'https://login.microsoftonline.us/': 'login.microsoftonline.us',
    'https://login.chinacloudapi.cn/': 'login.chinacloudapi.cn',
    'https://login.partner.microsoftonline.cn': 'login.partner.microsoftonline.cn',
  };
  for (const [adEndpoint, host] of Object.entries(spellings))
    t.same(at(adEndpoint), { host, tenants: [lower] }, adEndpoint);
});

t.test('sends a credential to no other host, however it is dressed up', async (t) => {
  const foreign = [
    'https://evil.example',
    'https://login.microsoftonline.com.evil.example',
    'https://login.microsoftonline.com.',
    'https://evil.example/login.microsoftonline.com',
    'https://login.microsoftonline.com@evil.example/',
    'https://evil.example#@login.microsoftonline.com',
    'https://evil.example?https://login.microsoftonline.com',
    'https://evil.example\\@login.microsoftonline.com',
    'https://user:word@login.microsoftonline.com/',
    'https://login.microsoftonline.com:8443/',
    'https://login.microsoftonline.com/tenant',
    'https://login.microsoftonline.com//',
    'http://login.microsoftonline.com/',
    'http://login.microsoftonline.com:443/',
    '//login.microsoftonline.com',
    'login.microsoftonline.com',
    'https://169.254.169.254',
    'https://[::1]',
    'https://lоgin.microsoftonline.com', // a Cyrillic o
    'javascript:alert(1)',
    ' ',
  ];
  for (const adEndpoint of foreign) t.type(at(adEndpoint), 'string', adEndpoint);
});

t.test('says what is wrong with an endpoint, and only its plain beginning', async (t) => {
  t.equal(
    at('https://evil.example'),
    'its adEndpoint https://evil.example is not one of the known clouds, nor in --allowed-ad-endpoints of the agent',
  );
  t.equal(
    at('http://login.microsoftonline.com'),
    'its adEndpoint http://login.microsoftonline.com is not https:// and a host, without user, port or path',
  );
  t.ok(String(at(`https://${'a'.repeat(5000)}\u001b[31m/`)).length < 400);
  t.notMatch(at('https://\u001b[31mevil/x'), /\u001b/);
});

t.test('takes the hosts that the operator allows, and those only', async (t) => {
  const allowed = ['login.stack.example'];
  t.same(at('https://login.stack.example/', allowed), { host: 'login.stack.example', tenants: [lower] });
  t.type(at('https://evil.login.stack.example/', allowed), 'string');
});

t.test('takes a tenant for a GUID or a domain, and nothing that could be another path', async (t) => {
  const of = (tenantId: string): unknown => authorityOf(aPrincipal({ tenantId }), []);
  for (const good of [tenant, 'contoso.onmicrosoft.com', 'Contoso.COM', 'xn--bcher-kva.example'])
    t.match(of(good), { tenants: [good.toLowerCase()] }, good);
  const bad = [
    'common',
    'organizations',
    'consumers',
    '../evil',
    'a.com/b',
    'a.com?x',
    'a.com#',
    'a..com',
    '.com',
    '-a.com',
    `${tenant}\n`,
    ` ${tenant}`,
    `${tenant}/x`,
    '{00000000-0000-0000-0000-000000000000}',
    `${'a'.repeat(64)}.com`,
    'a.'.repeat(200_000),
  ];
  for (const each of bad)
    t.match(of(each), /^its tenantID .* is neither a GUID nor a domain$/, each.slice(0, 40));
  t.equal(of(''), 'it has an empty tenantID');
});

t.test('asks the auxiliary tenants, too, of a secret and three at most', async (t) => {
  const auxiliaryTenantIds = ['B.example', 'c.example', 'd.example'];
  const of = (type: number, ids: readonly string[]): unknown =>
    authorityOf(aPrincipal({ tenantId: tenant, auxiliaryTenantIds: ids }, { type }), []);
  t.match(of(1, auxiliaryTenantIds), { tenants: [lower, 'b.example', 'c.example', 'd.example'] });
  t.match(of(2, auxiliaryTenantIds), { tenants: [lower] }, 'a certificate has none, as in the original');
  t.equal(of(1, [...auxiliaryTenantIds, 'e.example']), 'it has more than 3 auxiliaryTenantIDs');
  t.match(of(1, ['common']), /^its tenantID common is neither/);
  t.equal(of(1, ['']), 'it has an empty tenantID');
});
