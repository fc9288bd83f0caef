import t from 'tap';
import type { AzureIdentity } from '../../lib/model/identity.ts';
import type { Token } from '../../lib/model/token.ts';
import { Broker } from '../../lib/tokens/broker.ts';
import { failureOf } from '../fakes/failure.ts';
import { PrincipalRig, rigWith, vault } from './principal-rig.ts';
import { aPrincipal, clientId, otherTenant } from './principals.ts';

/** The broker before the source: who gets what another has paid for? */
function brokerOf(rig: PrincipalRig): (identity: AzureIdentity) => Promise<Token> {
  const broker = new Broker({
    clock: rig.clock,
    sources: new Map([
      [1, rig.source],
      [2, rig.source],
    ]),
    onPaid: () => undefined,
    onRenewalFailed: () => undefined,
    onFetched: () => undefined,
  });
  return (identity) => broker.get(identity, vault);
}

/** The same client id and tenant, with a Secret that holds something else. */
const thief = aPrincipal({ secret: { namespace: 'thief', name: 'demo-secret' } }, { namespace: 'thief' });

function twoSecrets(): PrincipalRig {
  const rig = rigWith();
  rig.secrets.set('thief/demo-secret', { clientSecret: 'guess' });
  return rig;
}

t.test("a wrong Secret gets Entra ID's refusal while the right one's token is cached", async (t) => {
  const rig = twoSecrets();
  const get = brokerOf(rig);
  const token = await get(aPrincipal());
  t.match(await failureOf(() => get(thief)), { code: 'entra-refused', status: 401 });
  t.equal(await get(aPrincipal()), token, 'which serves on');
  t.equal(rig.asked.length, 3, 'one fetch that succeeded, one that was tried twice');
});

t.test('also when both ask at once', async (t) => {
  for (const order of [
    [aPrincipal(), thief],
    [thief, aPrincipal()],
  ]) {
    const get = brokerOf(twoSecrets());
    const outcomes = await Promise.allSettled(order.map(get));
    t.same(
      outcomes.map(({ status }) => status),
      order.map((identity) => (identity === thief ? 'rejected' : 'fulfilled')),
    );
  }
});

t.test('a Secret of another namespace, which is forbidden, opens no cache either', async (t) => {
  const rig = rigWith();
  const get = brokerOf(rig);
  await get(aPrincipal());
  const { servicePrincipal } = aPrincipal();
  const borrowed = { ...aPrincipal({}, { namespace: 'thief' }), servicePrincipal };
  t.match(await failureOf(() => get(borrowed)), { code: 'credential-unusable' });
});

t.test('every part of the credential counts: kind, host, tenants, client, Secret', async (t) => {
  const rig = new PrincipalRig({ crossNamespaceSecrets: true });
  for (const name of ['apps/demo-secret', 'apps/other', 'vault/demo-secret'])
    rig.secrets.set(name, { clientSecret: 'good' });
  const get = brokerOf(rig);
  const different = [
    aPrincipal(),
    aPrincipal({ tenantId: otherTenant }),
    aPrincipal({ adEndpoint: 'https://login.microsoftonline.us' }),
    aPrincipal({ auxiliaryTenantIds: [otherTenant] }),
    aPrincipal({ auxiliaryTenantIds: [otherTenant, 'third.example'] }),
    aPrincipal({}, { clientId: otherTenant }),
    aPrincipal({ secret: { namespace: 'apps', name: 'other' } }),
    aPrincipal({ secret: { namespace: 'vault', name: 'demo-secret' } }),
  ];
  const tokens = await Promise.all(different.map(get));
  t.equal(new Set(tokens).size, different.length);
  t.equal(rig.reads.length, different.length);
  const same = [
    aPrincipal({ adEndpoint: 'https://login.microsoftonline.com/' }),
    aPrincipal({}, { clientId: clientId.toUpperCase() }),
    aPrincipal({}, { name: 'other' }),
  ];
  for (const identity of same) t.equal(await get(identity), tokens[0]);
  t.equal(rig.reads.length, different.length, 'and a cached token costs no look at the Secret');
  t.match(await failureOf(() => get(aPrincipal({}, { type: 2 }))), { code: 'credential-unusable' });
});
