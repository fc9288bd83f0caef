import t, { type Test } from 'tap';
import type { Agent } from '../agent.ts';
import type { EntraClient } from '../entra/control.ts';
import { type Issued, issue, pfxOf } from '../entra/issued.ts';
import { eventually } from '../eventually.ts';
import { claimsOf } from '../imds/token.ts';
import type { Lab } from '../lab.ts';
import { unavailable } from '../namespaces.ts';
import { bindingObject, principalObject, secretObject } from '../objects.ts';
import { ask, resource, scene, tokenUrl } from './scene.ts';

/** AzureIdentity types 1 and 2 through the whole agent, against an Entra ID of its own. */
const skip = unavailable() ?? false;

const tenantId = 'aaaaaaaa-0000-4000-8000-00000000000a';
const clientId = 'cccccccc-0000-4000-8000-00000000000c';
const secret = 'first~secret/+=';
const app = { clientId, tenants: [tenantId], secrets: [secret] };

interface Principals {
  readonly lab: Lab;
  readonly agent: Agent;
  readonly entra: EntraClient;
  /** A pod of this name in this namespace, and the Secret and the identity that it is bound to. */
  add(
    name: string,
    type: 1 | 2,
    data?: Readonly<Record<string, string | Buffer>>,
    namespace?: string,
  ): Promise<void>;
}

async function start(t: Test): Promise<Principals> {
  const { lab, agent: without } = await scene(t);
  await without.stop();
  const entra = await lab.startEntra();
  await entra.register(app);
  const agent = lab.startAgent({
    flags: { 'allowed-ad-endpoints': entra.origin },
    env: { NODE_EXTRA_CA_CERTS: entra.caFile },
  });
  await agent.ready();
  const add: Principals['add'] = async (name, type, data, namespace = 'default') => {
    const spec = { clientID: clientId, tenantID: tenantId, adEndpoint: entra.origin };
    if (data) await lab.kube.apply(secretObject(name, namespace, data));
    await lab.kube.apply(principalObject(name, namespace, { type, ...spec, clientPassword: { name } }));
    await lab.kube.apply(bindingObject(name, namespace, name, name));
    await lab.addPod({ name, namespace, labels: { aadpodidbinding: name } });
  };
  return { lab, agent, entra, add };
}

/** Everything that anybody can read of the agent, but for its answers to pods. */
async function readable({ lab, agent }: Principals): Promise<string> {
  const { stdout } = await lab.onNode(['curl', '-sS', agent.metrics]);
  const events = await lab.kube.list('Event');
  return [agent.output(), stdout, JSON.stringify(events)].join('\n');
}

async function holdNothingSecret(
  t: Test,
  principals: Principals,
  more: readonly string[] = [],
): Promise<void> {
  const records = await principals.entra.log();
  const text = await readable(principals);
  t.match(text, /operation_type="adal_token"/, 'the metrics are there');
  const used = records.flatMap(({ proof, token = '' }) => [proof, token]).filter((each) => each !== '');
  const signatures = used.map((each) => each.split('.').at(-1) ?? '');
  for (const each of [...used, ...signatures, ...more]) {
    for (const spelled of [each, encodeURIComponent(each), Buffer.from(each).toString('base64')])
      t.notOk(text.includes(spelled), `nothing of ${used.length} proofs and tokens is written anywhere`);
  }
}

t.test('a client secret buys a token, which is cached; rotated, it is read again', { skip }, async (t) => {
  const principals = await start(t);
  const { lab, entra, add } = principals;
  await add('shop', 1, { clientSecret: secret });
  const first = await ask(lab, 'shop');
  t.match(first, { status: 200, body: { client_id: clientId, resource, token_type: 'Bearer' } });
  t.match(claimsOf(String(first.body.access_token)), { appid: clientId, aud: resource, tid: tenantId });
  t.equal((await ask(lab, 'shop')).body.access_token, first.body.access_token);
  t.equal((await entra.log()).length, 1);
  await entra.register({ ...app, secrets: ['second~secret'] });
  await lab.kube.apply(secretObject('shop', 'default', { clientSecret: 'second~secret' }));
  const other = tokenUrl.replace(resource, 'https://storage.azure.com/');
  t.match(await ask(lab, 'shop', other), { status: 200, body: { resource: 'https://storage.azure.com/' } });
  t.match((await entra.log()).at(-1), { scope: 'https://storage.azure.com//.default', proofKind: 'secret' });
  await holdNothingSecret(t, principals, [secret, 'second~secret']);
});

t.test(
  "what goes wrong is told in the pod's answer and in the log, each in its own words",
  { skip },
  async (t) => {
    const principals = await start(t);
    const { lab, agent, entra, add } = principals;
    await add('right', 1, { clientSecret: secret });
    await add('wrong', 1, { clientSecret: 'guessed~secret' });
    await add('none', 1);
    await add('broken', 2, { certificate: 'no certificate', password: 'pass~word' });
    t.equal((await ask(lab, 'right')).status, 200);
    const missing =
      'There is no Secret default/none, which AzureIdentity default/none names in clientPassword,';
    const broken =
      'Secret default/broken, which AzureIdentity default/broken names in clientPassword, cannot be used: its certificate is neither PKCS#12 nor PEM';
    t.match(await ask(lab, 'wrong'), {
      status: 401,
      body: { error: 'invalid_client', error_description: /^AADSTS7000215: / },
    });
    t.match(await ask(lab, 'none'), {
      status: 404,
      body: { error: 'not_found', error_description: missing },
    });
    t.match(await ask(lab, 'broken'), { status: 400, body: { error_description: new RegExp(broken) } });
    await entra.fault({ status: 429, retryAfter: '17', body: '{"error":"throttled"}' });
    const format = '%{http_code} %header{retry-after} ';
    const curl = ['curl', '-s', '--max-time', '12', '-w', format, '-H', 'Metadata: true', `${tokenUrl}/`];
    t.equal((await lab.exec('right', curl)).stdout, '{"error":"throttled"}429 17 ');
    await entra.fault({ kind: 'reset' });
    t.match(await ask(lab, 'right', `${tokenUrl}/`), {
      status: 502,
      body: { error: 'temporarily_unavailable' },
    });
    t.equal((await ask(lab, 'right')).status, 200, 'the cached token serves on');
    const logged = await eventually('all is logged', () => {
      const lines = agent.logs().filter(({ error }) => error !== undefined);
      return lines.length >= 5 ? lines : undefined;
    });
    t.match(logged, [
      { error: 'entra-refused', why: /answered 401 for tenant/, identity: 'default/wrong' },
      { error: 'credential-missing', why: missing, pod: 'default/none' },
      { error: 'credential-unusable', why: new RegExp(broken) },
      { error: 'entra-refused', why: /answered 429/ },
      { error: 'entra-unreachable' },
    ]);
    await holdNothingSecret(t, principals, [secret, 'guessed~secret', 'no certificate', 'pass~word']);
  },
);

t.test('a certificate buys a token: PKCS#12 by its subject name, and PEM', { skip }, async (t) => {
  const principals = await start(t);
  const { lab, entra, add } = principals;
  const ca = issue('ca');
  const [chained, plain]: Issued[] = [issue('app', { issuer: ca }), issue('plain')];
  const subjectName = { subject: 'CN=app', issuer: ca.cert };
  await entra.register({ ...app, certificates: [plain?.cert ?? ''], subjectName });
  const file = pfxOf(chained?.key ?? '', [chained?.cert ?? '', ca.cert], 'pass~word');
  await add('pfx', 2, { certificate: file, password: 'pass~word' });
  await add('pem', 2, { certificate: `${plain?.key}${plain?.cert}` });
  for (const pod of ['pfx', 'pem']) {
    const { status, body } = await ask(lab, pod);
    t.equal(status, 200, `${pod} ${JSON.stringify(body)}`.slice(0, 200));
    t.match(claimsOf(String(body.access_token)), { appid: clientId });
  }
  t.match(await entra.log(), [{ proofKind: 'assertion' }, { proofKind: 'assertion' }]);
  const secrets = [chained?.key ?? '', plain?.key ?? ''].map((key) => key.split('\n')[3] ?? '');
  await holdNothingSecret(t, principals, [...secrets, 'pass~word']);
});
