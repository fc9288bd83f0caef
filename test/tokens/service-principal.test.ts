import t from 'tap';
import { settle } from '../fakes/clock.ts';
import { failureOf } from '../fakes/failure.ts';
import { issue, pfxOf } from '../lab/entra/issued.ts';
import { refused, rigWith, vault } from './principal-rig.ts';
import { aPrincipal, otherTenant, tenantId } from './principals.ts';

const own = issue('app');

t.test('asks the tenant with the secret, and reads it again for every fetch', async (t) => {
  const rig = rigWith();
  t.match(await rig.fetch(), { accessToken: `of ${tenantId}` });
  t.match(rig.asked, [
    {
      host: 'login.microsoftonline.com',
      tenant: tenantId,
      credential: { kind: 'secret', secret: 'good' },
      resource: vault,
    },
  ]);
  await rig.fetch();
  t.same(rig.reads, ['apps/demo-secret', 'apps/demo-secret']);
});

t.test('a secret that was just rotated is read again, and tried once more', async (t) => {
  const rig = rigWith({ clientSecret: 'old' });
  rig.entra = async (request) => {
    rig.secrets.set('apps/demo-secret', { clientSecret: 'good' });
    return rig.judge(request);
  };
  t.match(await rig.fetch(), { accessToken: `of ${tenantId}` });
  t.same(
    rig.asked.map(({ credential }) => 'secret' in credential && credential.secret),
    ['old', 'good'],
  );
});

t.test('a secret that stays wrong is tried twice and no third time; another refusal once', async (t) => {
  const rig = rigWith({ clientSecret: 'wrong' });
  t.match(await failureOf(() => rig.fetch()), { code: 'entra-refused', status: 401 });
  t.equal(rig.asked.length, 2);
  for (const error of ['unauthorized_client', 'invalid_resource', 'temporarily_unavailable']) {
    const other = rigWith();
    other.entra = async () => Promise.reject(refused(error));
    await failureOf(() => other.fetch());
    t.equal(other.asked.length, 1, error);
  }
});

t.test(
  'the one key of a Secret is its client secret, whatever its name; of several it is clientSecret',
  async (t) => {
    t.ok(await rigWith({ anything: 'good' }).fetch());
    t.ok(await rigWith({ anything: 'else', clientSecret: 'good' }).fetch());
  },
);

t.test('signs with the certificate in a Secret: PKCS#12, PEM, or a TLS Secret', async (t) => {
  const identity = aPrincipal({ auxiliaryTenantIds: [otherTenant] }, { type: 2 });
  const secrets = [
    { certificate: pfxOf(own.key, [own.cert], 'word'), password: 'word' },
    { certificate: pfxOf(own.key, [own.cert], '') },
    { certificate: own.key + own.cert },
    { 'tls.crt': own.cert.trim(), 'tls.key': own.key },
  ];
  for (const data of secrets) {
    const rig = rigWith(data);
    await rig.fetch(identity);
    t.match(rig.asked, [
      {
        tenant: tenantId,
        credential: { kind: 'certificate', certificate: { x5c: own.cert.replaceAll('\r', '') } },
      },
    ]);
    t.equal(rig.asked.length, 1, 'auxiliary tenants are for secrets');
  }
});

t.test(
  "auxiliary tenants' tokens come beside the primary one, in order, and as old as the oldest",
  async (t) => {
    const rig = rigWith();
    const third = 'third.example';
    rig.entra = (request) => rig.judge(request, request.tenant === otherTenant ? 1000 : 3600);
    const token = await rig.fetch(aPrincipal({ auxiliaryTenantIds: [otherTenant, third] }));
    t.match(token, { accessToken: `of ${tenantId}`, expiresOn: Math.floor(rig.clock.now() / 1000) + 1000 });
    t.same(
      token.auxiliary?.map(({ accessToken }) => accessToken),
      [`of ${otherTenant}`, `of ${third}`],
    );
    t.notOk('auxiliary' in (await rig.fetch()));
    rig.entra = (request) => (request.tenant === third ? Promise.reject(refused('x')) : rig.judge(request));
    await t.rejects(rig.fetch(aPrincipal({ auxiliaryTenantIds: [third] })), { code: 'entra-refused' });
  },
);

t.test('ends after 10 s in all, and what is under way with it', async (t) => {
  const rig = rigWith({ clientSecret: 'wrong' });
  const signals: AbortSignal[] = [];
  rig.entra = (request, signal) => {
    signals.push(signal);
    if (signals.length === 1) return rig.clock.sleep(6_000).then(() => rig.judge(request));
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  };
  const failed = failureOf(() => rig.fetch());
  await rig.clock.advance(9_999);
  t.same(
    signals.map(({ aborted }) => aborted),
    [false, false],
  );
  await rig.clock.advance(1);
  t.match(await failed, {
    code: 'entra-timeout',
    message: 'login.microsoftonline.com did not answer within 10 s',
    answer: { status: 504 },
  });
  t.ok(signals.every(({ aborted }) => aborted));
  await settle();
  t.equal(rig.clock.waiting, 0);
});

t.test('the tenants of one that failed are not waited for', async (t) => {
  const rig = rigWith();
  let other: AbortSignal | undefined;
  rig.entra = (request, signal) => {
    if (request.tenant === tenantId) return Promise.reject(refused('unauthorized_client'));
    other = signal;
    return new Promise(() => undefined);
  };
  await failureOf(() => rig.fetch(aPrincipal({ auxiliaryTenantIds: [otherTenant] })));
  t.equal(other?.aborted, true);
});

t.test('an API server that says nothing is not waited for until the end', async (t) => {
  const rig = rigWith();
  rig.isStalled = true;
  const failed = failureOf(() => rig.fetch());
  await rig.clock.advance(4_000);
  t.match(await failed, {
    code: 'credential-unreadable',
    message: /could not be read: the API server did not answer within 4 s$/,
  });
  t.equal(rig.clock.waiting, 0);
});
