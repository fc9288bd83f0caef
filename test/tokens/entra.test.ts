import { rootCertificates, setDefaultCACertificates } from 'node:tls';
import { inspect } from 'node:util';
import t from 'tap';
import { AppError, type ErrorCode } from '../../lib/model/errors.ts';
import { CertificateReader } from '../../lib/tokens/certificate.ts';
import type { Credential, EntraRequest } from '../../lib/tokens/entra.ts';
import { failureOf } from '../fakes/failure.ts';
import { issue, pfxOf } from '../lab/entra/issued.ts';
import type { EntraFault } from '../lab/entra/types.ts';
import { claimsOf } from '../lab/imds/token.ts';
import { hosts, startRig } from './entra-rig.ts';
import { clientId, otherTenant, tenantId } from './principals.ts';

const secret = 'q~8Q_secret/+=&%"\\ with everything';
const ca = issue('ca');
const own = issue('app', { issuer: ca });
const vault = 'https://vault.azure.net';
const [host = ''] = hosts;

const bySecret = (value = secret): Credential => ({ kind: 'secret', secret: value });
function byCertificate({ key, cert } = own): Credential {
  const certificate = new CertificateReader().read({
    file: pfxOf(key, [cert, ca.cert], 'word'),
    password: 'word',
  });
  if (typeof certificate === 'string') throw new Error(certificate);
  return { kind: 'certificate', certificate };
}

const asking = (fields: Partial<EntraRequest> = {}): EntraRequest => ({
  ...{ host, tenant: tenantId, clientId, credential: bySecret(), resource: vault },
  ...fields,
});
const app = { clientId, tenants: [tenantId], secrets: [secret], certificates: [own.cert] };
const open = new AbortController().signal;

t.test('gets a token for a secret, with one request and no discovery, on every cloud', async (t) => {
  const { entra, acquire, connected } = await startRig(t);
  entra.directory.register(app);
  for (const host of hosts) {
    const before = Date.now() / 1000;
    const token = await acquire(asking({ host }), open);
    t.match(claimsOf(token.accessToken), { aud: vault, appid: clientId, tid: tenantId });
    t.ok(token.expiresOn > before + 3500 && token.expiresOn < before + 3700);
    t.ok(token.notBefore >= Math.floor(before) && token.tokenType === 'Bearer');
  }
  t.same(
    connected,
    hosts.map((each) => `${each}:443`),
  );
  t.same([...new Set(entra.directory.records.map(({ path }) => path))], [`/${tenantId}/oauth2/v2.0/token`]);
});

t.test('asks for the resource byte for byte', async (t) => {
  const { entra, acquire } = await startRig(t);
  entra.directory.register(app);
  const resources = [
    vault,
    `${vault}/`,
    'https://VAULT.azure.net//',
    'api://x?a=b&c=%20+d',
    'ü€😀',
    clientId,
  ];
  for (const resource of resources) await acquire(asking({ resource }), open);
  t.same(
    entra.directory.records.map(({ scope }) => scope),
    resources.map((resource) => `${resource}/.default`),
  );
});

t.test('signs with a certificate that Entra ID knows, or trusts by its subject name', async (t) => {
  const { entra, acquire } = await startRig(t);
  entra.directory.register(app);
  const credential = byCertificate();
  t.match(claimsOf((await acquire(asking({ credential }), open)).accessToken), { appid: clientId });
  const subjectName = { subject: 'CN=app', issuer: ca.cert };
  entra.directory.register({ clientId, tenants: [tenantId], subjectName });
  await acquire(asking({ credential }), open);
  await acquire(asking({ credential: byCertificate(issue('app', { issuer: ca })) }), open);
  for (const foreign of [issue('app', { issuer: issue('ca') }), issue('apple', { issuer: ca })]) {
    const error = await failureOf(() => acquire(asking({ credential: byCertificate(foreign) }), open));
    t.match(error, { code: 'entra-refused', status: 401, answer: { body: /AADSTS700027/ } });
  }
});

t.test("passes Entra ID's refusals on as they came: status, JSON and Retry-After", async (t) => {
  const { entra, acquire } = await startRig(t);
  entra.directory.register(app, { clientId: otherTenant, tenants: [otherTenant] });
  const refusals: readonly (readonly [Partial<EntraRequest>, number, string])[] = [
    [{ credential: bySecret('wrong-secret') }, 401, 'AADSTS7000215'],
    [{ credential: byCertificate(issue('other')) }, 401, 'AADSTS700027'],
    [{ clientId: otherTenant }, 400, 'AADSTS700016'],
    [{ tenant: 'nobody.example' }, 400, 'AADSTS90002'],
    [{ tenant: otherTenant }, 400, 'AADSTS700016'],
  ];
  for (const [fields, status, code] of refusals) {
    const error = await failureOf(() => acquire(asking(fields), open));
    t.match(error, { code: 'entra-refused', status, answer: { status } });
    t.match(JSON.parse((error as AppError).answer?.body ?? ''), {
      error_description: new RegExp(`^${code}: `),
    });
  }
  entra.directory.fault({ status: 429, retryAfter: '17', body: '{"error":"x"}' });
  t.match(await failureOf(() => acquire(asking(), open)), {
    message: `${host} answered 429 for tenant ${tenantId}`,
    answer: { status: 429, retryAfter: '17', body: '{"error":"x"}' },
  });
});

t.test('takes a token of 16 kB, which is more than Entra ID makes', async (t) => {
  const { entra, acquire } = await startRig(t);
  entra.directory.register(app);
  const large = 'x'.repeat(16 * 1024);
  const body = { token_type: 'Bearer', expires_in: 3599, ext_expires_in: 3599, access_token: large };
  entra.directory.fault({ status: 200, body: JSON.stringify(body) });
  t.equal((await acquire(asking(), open)).accessToken, large);
});

t.test('asks again right after a failure: no memory of MSAL stands in the way', async (t) => {
  const { entra, acquire } = await startRig(t);
  entra.directory.register(app);
  for (const status of [429, 500, 503]) {
    entra.directory.fault({ status, retryAfter: '3600' });
    await failureOf(() => acquire(asking(), open));
    t.ok((await acquire(asking(), open)).accessToken, String(status));
  }
  t.equal(entra.directory.records.length, 6, 'each call asked once');
  t.equal(
    new Set(entra.directory.records.map(({ token }) => token)).size,
    4,
    'and no token came from a cache',
  );
});

const troubles: Readonly<Record<string, readonly [EntraFault, ErrorCode, status: number]>> = {
  'a page in place of a token': [{ kind: 'garbage' }, 'entra-garbled', 502],
  'JSON without a token': [{ status: 200, body: '{"token_type":"Bearer"}' }, 'entra-garbled', 502],
  'a token without an end': [{ status: 200, body: '{"access_token":"x"}' }, 'entra-garbled', 502],
  'a page with an error status': [{ kind: 'garbage', status: 503 }, 'entra-refused', 502],
  'a redirect': [{ status: 307, body: '{}' }, 'entra-refused', 502],
  'a reset': [{ kind: 'reset' }, 'entra-unreachable', 502],
  'an answer without an end': [{ status: 200, body: `"${'x'.repeat(20 * 1024)}"` }, 'entra-unreachable', 502],
  'its own request in the answer': [{ kind: 'echo' }, 'entra-refused', 502],
};
for (const [what, [fault, code, status]] of Object.entries(troubles)) {
  t.test(`gives an error in our words for ${what}`, async (t) => {
    const { entra, acquire } = await startRig(t);
    entra.directory.register(app);
    for (const credential of [bySecret(), byCertificate()]) {
      entra.directory.fault(fault);
      const error = await failureOf(() => acquire(asking({ credential }), open));
      t.match(error, { code, answer: { status } });
      t.match(JSON.parse((error as AppError).answer?.body ?? ''), {
        error: 'temporarily_unavailable',
        error_description: error.message,
      });
      const { proof = '' } = entra.directory.records.at(-1) ?? {};
      const all = inspect(error, { depth: 9, showHidden: true });
      for (const hidden of [proof, encodeURIComponent(proof), JSON.stringify(proof)])
        t.notOk(all.includes(hidden), 'and without what was sent');
    }
  });
}

t.test("ends with the caller's reason, whatever Entra ID does", async (t) => {
  const { entra, acquire } = await startRig(t);
  entra.directory.register(app);
  entra.directory.fault({ kind: 'silence' });
  const end = new AbortController();
  const reason = new AppError('entra-timeout', 'enough');
  const asked = failureOf(() => acquire(asking(), end.signal));
  while (entra.directory.records.length === 0) await new Promise((resolve) => setImmediate(resolve));
  end.abort(reason);
  t.equal(await asked, reason);
  t.equal(await failureOf(() => acquire(asking(), end.signal)), reason, 'also before it has begun');
});

t.test('sends nothing to a server that is not trusted under that name', async (t) => {
  const { entra, acquire } = await startRig(t);
  entra.directory.register(app);
  t.match(await failureOf(() => acquire(asking({ host: 'login.windows.net' }), open)), {
    code: 'entra-unreachable',
    cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
  });
  setDefaultCACertificates(rootCertificates);
  t.match(await failureOf(() => acquire(asking(), open)), { code: 'entra-unreachable' });
  t.same(entra.directory.records, []);
});
