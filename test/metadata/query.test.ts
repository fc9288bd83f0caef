import t from 'tap';
import { readTokenQuery } from '../../lib/metadata/query.ts';

const id = '0a1b2c3d-0000-4000-8000-000000000001';
const arm =
  '/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/demo';

t.test('reads the resource byte for byte, encoded or not', (t) => {
  const cases: [string, string][] = [
    ['resource=https://vault.azure.net', 'https://vault.azure.net'],
    ['resource=https://vault.azure.net/', 'https://vault.azure.net/'],
    ['resource=https%3A%2F%2Fvault.azure.net%2F', 'https://vault.azure.net/'],
    ['api-version=2018-02-01&resource=https%3a%2f%2fvault.azure.net', 'https://vault.azure.net'],
    ['&&resource=a&', 'a'],
    ['resource=a=b', 'a=b'],
    ['resource=a+b%2Bc', 'a b+c'],
    ['resource=%C3%A9', 'é'],
    ['%72esource=a', 'a'],
    ['unknown&resource=a', 'a'],
    ['resource=a;client_id=b', 'a;client_id=b'],
  ];
  for (const [query, resource] of cases) t.same(readTokenQuery(query), { resource }, query);
  t.end();
});

t.test('reads the identity under each of its names', (t) => {
  const cases: [string, string, string][] = [
    [`client_id=${id}`, 'client_id', id],
    [`object_id=${id}`, 'object_id', id],
    [`msi_res_id=${arm}`, 'resource_id', arm],
    [`mi_res_id=${encodeURIComponent(arm)}`, 'resource_id', arm],
    [`msi-res-id=${arm.toUpperCase()}`, 'resource_id', arm.toUpperCase()],
    [`client_id=&msi_res_id=${arm}`, 'resource_id', arm],
    [`%63lient_id=${id}`, 'client_id', id],
  ];
  for (const [query, by, value] of cases) {
    t.same(readTokenQuery(`resource=a&${query}`), { resource: 'a', selector: { by, value } }, query);
    t.same(readTokenQuery(`${query}&resource=a`), { resource: 'a', selector: { by, value } }, query);
  }
  t.same(readTokenQuery('resource=a&client_id=&mi_res_id='), { resource: 'a' }, 'empty is as not given');
  t.end();
});

t.test('takes names as written: another letter case is another name', (t) => {
  t.same(readTokenQuery(`resource=a&Client_Id=${id}&principal_id=${id}&bypass_cache=true`), {
    resource: 'a',
  });
  t.equal(readTokenQuery('Resource=a'), 'resource-missing');
  t.end();
});

t.test('refuses with the reason', (t) => {
  const cases: [string, string][] = [
    ['', 'resource-missing'],
    ['&', 'resource-missing'],
    ['api-version=2018-02-01', 'resource-missing'],
    ['resource', 'resource-missing'],
    ['resource=', 'resource-missing'],
    ['resource=a&resource=b', 'query-duplicate'],
    ['resource=a&resource=a', 'query-duplicate'],
    ['resource=a&%72esource=b', 'query-duplicate'],
    ['resource=a&client_id=x&client_id=y', 'query-duplicate'],
    ['resource=a&client_id=&client_id=y', 'query-duplicate'],
    ['resource=a&x&x', 'query-duplicate'],
    ['resource=a&client_id=x&object_id=y', 'two-identities'],
    ['resource=a&client_id=x&msi_res_id=x', 'two-identities'],
    ['resource=a&msi_res_id=x&mi_res_id=x', 'two-identities'],
    ['resource=a&msi_res_id=x&msi-res-id=x', 'two-identities'],
    ['resource=%', 'query-malformed'],
    ['resource=%zz', 'query-malformed'],
    ['resource=%ff', 'query-malformed'],
    ['resource=%c0%af', 'query-malformed'],
    ['resource=a&%=1', 'query-malformed'],
  ];
  for (const [query, problem] of cases) t.equal(readTokenQuery(query), problem, query);
  t.end();
});

t.test('is not led astray by names of Object', (t) => {
  const query = 'resource=a&__proto__=x&constructor=y&toString=z&hasOwnProperty=1';
  t.same(readTokenQuery(query), { resource: 'a' });
  t.end();
});
