import t, { type Test } from 'tap';
import { countVirtualMachines } from '../../lib/demo/virtual-machines.ts';
import { systemClock as clock } from '../../lib/platform/clock.ts';
import { createHttpClient } from '../../lib/platform/http.ts';
import type { Got } from '../../lib/workload/ask.ts';
import { mintToken } from '../lab/imds/token.ts';
import { type FakeAzure, type FakeAzureOptions, startFakeAzure } from './fake-azure.ts';
import { identity } from './rig.ts';

const { body } = mintToken(identity, 'https://management.azure.com/', 3600, Date.now());
const { access_token: token } = JSON.parse(body) as { readonly access_token: string };
const group = { subscriptionId: 's', resourceGroup: 'g' };

async function count(
  t: Test,
  options: FakeAzureOptions,
  asked = group,
): Promise<{ got: Got<number>; fake: FakeAzure }> {
  const fake = await startFakeAzure(t, options);
  const { origin } = fake;
  const http = createHttpClient({ origin, connections: 1, maxBytes: 65_536, clock });
  t.teardown(() => http.close());
  return { got: await countVirtualMachines({ http, origin, userAgent: 'test' }, token, asked), fake };
}

t.test('counts over all pages', async (t) => {
  const { got, fake } = await count(t, { machines: 5 });
  t.match(got, { kind: 'got', value: 5 });
  t.equal(fake.log.length, 3);
});

t.test('an empty group has none', async (t) => t.match((await count(t, {})).got, { kind: 'got', value: 0 }));

t.test('no one else gets the token, whoever a page names', async (t) => {
  const other = await startFakeAzure(t);
  for (const nextLink of [`${other.origin}/next`, 'https://a.test/', '/relative', 'http://']) {
    const { got } = await count(t, { machines: 5, nextLink });
    t.match(got, { kind: 'failure', why: /a next page that is not its own/ }, nextLink);
  }
  t.same(other.log, []);
});

t.test('a list without an end is given up', async (t) => {
  const { got, fake } = await count(t, { machines: 1000 });
  t.match(got, { kind: 'failure', why: /more than 100 pages/ });
  t.equal(fake.log.length, 100);
});

t.test('a name cannot become another path or query', async (t) => {
  const { got, fake } = await count(t, {}, { subscriptionId: '../s', resourceGroup: 'g?api-version=1' });
  t.match(got, { kind: 'failure', why: /404 SubscriptionNotFound/ });
  t.match(fake.log, [/^GET \/subscriptions\/\.\.%2Fs\/resourceGroups\/g%3Fapi-version%3D1\//]);
});

t.test('a service that repeats the token does not get it into the log', async (t) => {
  const fake = await startFakeAzure(t);
  fake.fail(401, 'InvalidToken', `the token ${token} is not good`);
  const { origin } = fake;
  const http = createHttpClient({ origin, connections: 1, maxBytes: 65_536, clock });
  t.teardown(() => http.close());
  const got = await countVirtualMachines({ http, origin, userAgent: 'test' }, token, group);
  t.match(got, { kind: 'failure', why: 'answered 401 InvalidToken: the token TOKEN is not good' });
});
