import t from 'tap';
import { sampleIdentity } from '../lab/imds/token.ts';
import { type Agent, demo, startAgent } from './agent.ts';
import { ask, asked, jsonOf, type Reply } from './client.ts';

const tokenPath = '/metadata/identity/oauth2/token';
const version = 'api-version=2018-02-01';
const vault = 'https%3A%2F%2Fvault.azure.net';
const id = demo.clientId;
const arm = encodeURIComponent(demo.resourceId);

t.test('refuses in words that SDKs do not retry', async (t) => {
  const agent = await startAgent(t);
  const base = `${tokenPath}?${version}&resource=${vault}`;
  const cases: [string, RegExp][] = [
    [`${base}&client_id=${sampleIdentity('other').clientId}`, /^Identity not found\. /],
    [`${base}&mi_res_id=/subscriptions/x`, /^Identity not found\. /],
    [`${base}&client_id=${id}&mi_res_id=${arm}`, /one parameter only/],
    [`${base}&resource=x`, /more than once/],
    [`${tokenPath}?${version}`, /'resource' is missing/],
  ];
  for (const [target, words] of cases) {
    const reply = await ask(agent, asked(target));
    t.match(reply, { status: 400, closed: false }, target);
    t.match(jsonOf(reply), { error: 'invalid_request', error_description: words });
  }
  t.same(await agent.upstream(), []);
});

/** The statuses that IMDS answers by itself, and what the agent makes of each. */
async function failing(agent: Agent, status: number, retryAfter?: string): Promise<Reply> {
  agent.imds.fault({
    kind: 'status',
    status,
    ...(retryAfter !== undefined && { retryAfter }),
    path: tokenPath,
  });
  return ask(agent, asked(`${tokenPath}?${version}&resource=${vault}`));
}

t.test('hands IMDS’s errors on with status, body and Retry-After, and remembers none', async (t) => {
  const agent = await startAgent(t);
  for (const status of [400, 404, 410, 429, 500, 503]) {
    const reply = await failing(agent, status, '7');
    t.match(reply, { status, headers: { 'retry-after': '7' }, body: `lab fault ${status}` });
    t.notOk('retry-after' in (await failing(agent, status)).headers);
    t.equal(
      (await ask(agent, asked(`${tokenPath}?${version}&resource=${vault}`))).status,
      200,
      'the next one',
    );
    t.equal((await agent.upstream()).length, 3);
  }
});

t.test('makes of a broken IMDS a 502 in JSON', async (t) => {
  const agent = await startAgent(t);
  for (const kind of ['reset', 'truncate', 'garbage'] as const) {
    for (const target of [`${tokenPath}?resource=r`, '/metadata/versions']) {
      agent.imds.fault({ kind, path: '/metadata/' });
      const reply = await ask(agent, asked(target));
      // A pass-through does not judge what it carries.
      const expected = kind === 'garbage' && !target.startsWith(tokenPath) ? 200 : 502;
      t.equal(reply.status, expected, `${kind} ${target}`);
      if (expected === 502) t.match(jsonOf(reply), { error: 'temporarily_unavailable' });
      agent.imds.clearFaults();
    }
  }
});
