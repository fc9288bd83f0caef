import t from 'tap';
import { addresses } from '../addresses.ts';
import { eventually } from '../eventually.ts';
import { claimsOf, sampleIdentity } from '../imds/token.ts';
import { unavailable } from '../namespaces.ts';
import { bindingObject, exceptionObject } from '../objects.ts';
import { ask, askers, demo, ourRules, resource, scene, tokenUrl } from './scene.ts';

/** The agent whole: its own process, through the kernel's real redirect, against the lab's Azure and Kubernetes API. */
const skip = unavailable() ?? false;

for (const backend of ['nft', 'legacy'] as const) {
  t.test(
    `${backend}: a bound pod gets a token for its identity, and only the agent speaks to IMDS`,
    { skip },
    async (t) => {
      const { lab, agent } = await scene(t, { backend });
      await agent.ready();
      const { status, body } = await ask(lab, 'demo');
      t.equal(status, 200);
      t.match(claimsOf(String(body.access_token)), { appid: demo.clientId, aud: resource });
      t.same(await askers(lab), [addresses.node]);
      t.equal(await agent.stop('SIGTERM'), 0);
      t.same(await ourRules(lab), [], 'SIGTERM takes the rules out');
    },
  );
}

t.test(
  'the answer has the fields that SDKs read, and the second one comes from the cache',
  { skip },
  async (t) => {
    const { lab, agent } = await scene(t);
    await agent.ready();
    const first = await ask(lab, 'demo');
    const second = await ask(lab, 'demo', `${tokenUrl}&client_id=${demo.clientId.toUpperCase()}`);
    const fields =
      'access_token refresh_token client_id expires_in expires_on ext_expires_in not_before resource token_type';
    t.same(Object.keys(first.body), fields.split(' '));
    t.equal(second.body.access_token, first.body.access_token);
    t.equal((await lab.imds.log()).requests.length, 1);
  },
);

t.test(
  'a foreign identity and a pod without a binding are refused with the reason, in the log too',
  { skip },
  async (t) => {
    const { lab, agent } = await scene(t);
    await agent.ready();
    const foreign = await ask(lab, 'demo', `${tokenUrl}&client_id=${sampleIdentity('other').clientId}`);
    t.match(foreign, {
      status: 400,
      body: { error: 'invalid_request', error_description: /^Identity not found\. .*client_id/ },
    });
    const unbound = await ask(lab, 'plain');
    t.match(unbound, { status: 400, body: { error_description: /has no label aadpodidbinding/ } });
    t.same(await askers(lab), [], 'IMDS was not asked');
    const line = await eventually('the request is logged', () =>
      agent.logs().find(({ request }) => request === unbound.requestId),
    );
    t.match(line, {
      msg: 'request',
      status: 400,
      code: 'no-label',
      pod: 'default/plain',
      why: String(unbound.body.error_description).slice(20),
    });
  },
);

t.test('a binding that is added or removed counts as soon as the watch brings it', { skip }, async (t) => {
  const { lab, agent } = await scene(t);
  await agent.ready();
  t.equal((await ask(lab, 'demo')).status, 200);
  await lab.kube.delete('AzureIdentityBinding', 'demo');
  await eventually(
    'the token is refused, though it is cached',
    async () => (await ask(lab, 'demo')).status === 400,
  );
  await lab.kube.apply(bindingObject('again', 'default', 'demo', 'demo'));
  await eventually('the token is given again', async () => (await ask(lab, 'demo')).status === 200);
});

t.test('an excepted pod passes as the node, with GET and with POST', { skip }, async (t) => {
  const { lab, agent } = await scene(t);
  await lab.addPod({ name: 'free', labels: { app: 'free' } });
  await lab.kube.apply(exceptionObject('free', 'default', { app: 'free' }));
  await agent.ready();
  const { body } = await ask(lab, 'free', `${tokenUrl}&api-version=2018-02-01`);
  t.match(claimsOf(String(body.access_token)).xms_mirid, /Microsoft\.Compute/);
  t.not((await ask(lab, 'free', `http://${addresses.imds}/metadata/identity/info`)).status, 404);
  await ask(
    lab,
    'free',
    `http://${addresses.imds}/metadata/scheduledevents?api-version=2020-07-01`,
    '-d',
    '{"StartRequests":[]}',
  );
  const last = (await lab.imds.log()).requests.at(-1);
  t.match(last, {
    method: 'POST',
    path: '/metadata/scheduledevents',
    bodyBytes: 20,
    remoteAddress: addresses.node,
  });
  t.equal((await ask(lab, 'plain', `http://${addresses.imds}/metadata/identity/info`)).status, 404);
});

t.test(
  'a new pod is served as soon as its address is known, also before the watch has brought it',
  { skip },
  async (t) => {
    const { lab, agent } = await scene(t);
    await agent.ready();
    await lab.kube.fault({ stall: true });
    await lab.addPod({ name: 'young', labels: { aadpodidbinding: 'demo' } });
    t.equal((await ask(lab, 'young')).status, 200);
  },
);

t.test("an address that is no pod gets 404 and never the node's identity", { skip }, async (t) => {
  const { lab, agent } = await scene(t);
  await agent.ready();
  await lab.kube.delete('Pod', 'plain', { gracePeriodSeconds: 0 });
  await eventually('the pod is forgotten', async () => (await ask(lab, 'plain')).status === 404);
  t.same(await askers(lab), []);
});

t.test(
  "IMDS's refusals come through with status, body and Retry-After; its failures become 502",
  { skip },
  async (t) => {
    const { lab, agent } = await scene(t);
    await agent.ready();
    await lab.imds.fault({ kind: 'status', status: 429, retryAfter: '7', body: '{"error":"too_many"}' });
    t.match(await ask(lab, 'demo'), { status: 429, body: { error: 'too_many' } });
    for (const kind of ['reset', 'truncate', 'garbage'] as const) {
      await lab.imds.fault({ kind });
      t.match(await ask(lab, 'demo'), { status: 502, body: { error: 'temporarily_unavailable' } }, kind);
    }
    t.equal((await ask(lab, 'demo')).status, 200);
  },
);
