import t from 'tap';
import { principalObject, secretObject } from '../lab/objects.ts';
import { explained, hasLines } from './explaining.ts';
import { anAgent, binding, clientId, managed, web, withSpec } from './scene.ts';

t.test('the service principal: as far as the door of Entra ID, and no secret is told', async (t) => {
  const spec = { type: 1, tenantID: 'contoso.com', clientID: clientId, clientPassword: { name: 'sp' } };
  const principal = principalObject('demo', 'apps', spec);
  const cluster = [managed, web, binding, principal];
  const given = await explained(t, [...cluster, secretObject('sp', 'apps', { clientSecret: 'hunter2' })]);
  t.equal(given.status, 0);
  hasLines(t, given, [
    `✓ token      Secret apps/sp holds a credential; with it, login.microsoftonline.com would be asked for https://management.azure.com/ as client id ${clientId} of tenant contoso.com`,
  ]);
  t.notMatch(given.stdout, 'hunter2');
  const missing = await explained(t, cluster);
  t.equal(missing.status, 4);
  hasLines(t, missing, [
    '… token      There is no Secret apps/sp, which AzureIdentity apps/demo names in clientPassword.',
    '             kubectl create secret generic sp -n apps --from-literal=clientSecret=CLIENT_SECRET',
  ]);
  const several = await explained(t, [...cluster, secretObject('sp', 'apps', { a: 'x', b: 'y' })]);
  t.match(several, {
    status: 3,
    stdout: /✗ token .* none of its keys is clientSecret, and there are several\.\n/,
  });
  const foreign = withSpec(principal, { clientPassword: { name: 'sp', namespace: 'other' } });
  t.match(await explained(t, [managed, web, binding, foreign]), {
    status: 3,
    stdout: /--allow-cross-namespace-secrets/,
  });
  const allowing = anAgent('node1', ['--operation-mode=managed', '--allow-cross-namespace-secrets']);
  const secret = secretObject('sp', 'other', { clientSecret: 'hunter2' });
  t.match(await explained(t, [allowing, web, binding, foreign, secret]), { status: 0 });
  const odd = withSpec(principal, { type: 7 });
  t.match(await explained(t, [managed, web, binding, odd]), { status: 3, stdout: /✗ token .*spec\.type/ });
});

t.test('cannot tell of a Secret that the caller may not read', async (t) => {
  const spec = { type: 1, tenantID: 'contoso.com', clientID: clientId, clientPassword: { name: 'sp' } };
  const cluster = [managed, web, binding, principalObject('demo', 'apps', spec)];
  const called = await explained(t, cluster, { token: 'mic-token' });
  t.equal(called.status, 1);
  hasLines(t, called, [
    '? token      Secret apps/sp could not be read: podid has no right to get it (403).',
    '             kubectl auth can-i get secrets -n apps',
  ]);
});
