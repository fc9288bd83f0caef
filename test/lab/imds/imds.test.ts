import t, { type Test } from 'tap';
import { type Imds, type ImdsOptions, startImds } from './imds.ts';
import { asked, bodyOf, exchange, get, statusOf, tokenTarget } from './raw.ts';
import { claimsOf, sampleIdentity, sampleSystemIdentity } from './token.ts';

const several = /Multiple user assigned identities exist, please specify the clientId \/ resourceId/;
const demo = sampleIdentity('demo');
const other = sampleIdentity('other');

async function start(test: Test, options: ImdsOptions = {}): Promise<Imds> {
  const imds = await startImds({ identities: [demo, other], ...options });
  test.teardown(() => imds.close());
  return imds;
}

t.test('gives a token in the shape of IMDS, whose claims tell whose it is', async (t) => {
  const imds = await start(t, { tokenLifetimeSec: 600 });
  const body = bodyOf(await exchange(imds, asked(`${tokenTarget}&client_id=${demo.clientId.toUpperCase()}`)));
  const order = 'access_token client_id expires_in expires_on ext_expires_in not_before resource token_type';
  t.equal(Object.keys(body).join(' '), order);
  t.ok(Object.values(body).every((value) => typeof value === 'string'));
  t.match(body, {
    expires_in: '600',
    resource: 'https://vault.azure.net',
    token_type: 'Bearer',
    client_id: demo.clientId,
  });
  const claims = claimsOf(String(body.access_token));
  t.match(claims, {
    aud: 'https://vault.azure.net',
    appid: demo.clientId,
    oid: demo.objectId,
    xms_mirid: demo.resourceId,
  });
  t.equal(Number(claims.exp) - Number(claims.iat), 600);
  t.match(imds.tokensIssued(), [{ jti: claims.jti, clientId: demo.clientId }]);
});

t.test('answers the documented errors', async (t) => {
  const imds = await start(t, { systemAssigned: null });
  const cases: [string, string, number, RegExp][] = [
    [
      'no Metadata header',
      get(tokenTarget),
      400,
      /"error_description":"Required metadata header not specified"/,
    ],
    ['Metadata: True', get(tokenTarget, 'Metadata: True'), 400, /Required metadata header/],
    [
      'X-Forwarded-For',
      get(tokenTarget, 'Metadata: true', 'x-forwarded-for: 1.2.3.4'),
      400,
      /X-Forwarded-For/,
    ],
    ['no api-version', asked('/metadata/identity/oauth2/token?resource=x'), 400, /newest-versions/],
    ['unknown api-version', asked('/metadata/instance?api-version=2001-01-01'), 400, /aka\.ms\/azureimds/],
    [
      'no resource',
      asked('/metadata/identity/oauth2/token?api-version=2018-02-01'),
      400,
      /'resource' is missing/,
    ],
    ['a parameter twice', asked(`${tokenTarget}&resource=x`), 400, /more than once/],
    ['two id parameters', asked(`${tokenTarget}&client_id=${demo.clientId}&mi_res_id=x`), 400, /Only one of/],
    [
      'an identity of another VM',
      asked(`${tokenTarget}&client_id=${sampleIdentity('no').clientId}`),
      400,
      /Identity not found/,
    ],
    ['none named, several there', asked(tokenTarget), 400, several],
    ['POST on the token path', asked(tokenTarget).replace('GET', 'POST'), 405, /error/],
    ['Identity in upper case', asked(tokenTarget.replace('identity', 'Identity')), 404, /Not found/],
    ['an unknown path', asked('/latest/meta-data'), 404, /Not found/],
    ['bytes that are no request', 'hello\r\n', 400, /Bad Request/],
  ];
  for (const [name, bytes, status, body] of cases) {
    const reply = await exchange(imds, bytes);
    t.equal(statusOf(reply), status, name);
    t.match(reply, body, name);
  }
  t.equal(imds.tokensIssued().length, 0);
});

t.test('knows an identity by each of its names', async (t) => {
  const imds = await start(t);
  const names = [`client_id=${demo.clientId}`, `object_id=${demo.objectId}`];
  for (const name of ['msi_res_id', 'mi_res_id', 'msi-res-id']) {
    names.push(`${name}=${encodeURIComponent(demo.resourceId.toUpperCase())}`);
  }
  for (const name of names) {
    t.equal(bodyOf(await exchange(imds, asked(`${tokenTarget}&${name}`))).client_id, demo.clientId, name);
  }
});

t.test('picks by itself: the system-assigned one, else the only one, else none', async (t) => {
  const imds = await start(t);
  const chosen = async (): Promise<Record<string, unknown>> =>
    bodyOf(await exchange(imds, asked(tokenTarget)));
  t.equal((await chosen()).client_id, sampleSystemIdentity().clientId);
  imds.configure({ systemAssigned: null });
  t.match((await chosen()).error_description, several);
  imds.unassign(other.clientId);
  t.equal((await chosen()).client_id, demo.clientId);
  imds.unassign(demo.clientId);
  t.equal((await chosen()).error_description, 'Identity not found');
  imds.assign(other);
  t.equal((await chosen()).client_id, other.clientId);
});

t.test('serves its other documents', async (t) => {
  const imds = await start(t);
  for (const name of ['instance', 'scheduledevents', 'loadbalancer', 'attested/document']) {
    t.equal(statusOf(await exchange(imds, asked(`/metadata/${name}?api-version=2020-07-01`))), 200, name);
  }
  t.equal(statusOf(await exchange(imds, asked('/metadata/versions'))), 200);
  const text = await exchange(
    imds,
    asked('/metadata/instance/compute/vmSize?api-version=2021-02-01&format=text'),
  );
  t.match(text, /\r\n\r\nStandard_D2s_v5$/);
  t.equal(
    statusOf(await exchange(imds, asked('/metadata/identity/getplatformmetadata?cred-api-version=2.0'))),
    200,
  );
  const issue = asked('/metadata/identity/issuecredential?cred-api-version=2.0').replace('GET', 'POST');
  t.equal(statusOf(await exchange(imds, issue)), 200);
  t.match(
    imds
      .log()
      .map(({ path }) => path)
      .slice(-2),
    ['/metadata/identity/getplatformmetadata', '/metadata/identity/issuecredential'],
  );
});
