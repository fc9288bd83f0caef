import { constants, createHash, randomUUID, sign, X509Certificate } from 'node:crypto';
import t from 'tap';
import { Directory, type Reply } from './directory.ts';
import { issue } from './issued.ts';

/** The simulator refuses what Entra ID refuses, so that a test against it means something. */
const tenant = 'aaaaaaaa-0000-4000-8000-00000000000a';
const clientId = 'cccccccc-0000-4000-8000-00000000000c';
const [own, stranger] = [issue('app'), issue('app')];
const path = `/${tenant}/oauth2/v2.0/token`;
const audience = `https://login.test${path}`;

function start(): Directory {
  const directory = new Directory();
  directory.register({ clientId, tenants: [tenant], secrets: ['secret'], certificates: [own.cert] });
  directory.register({ clientId: 'other', tenants: ['other.example'] });
  return directory;
}

function post(directory: Directory, form: Record<string, string>, at = path): Reply {
  const all = {
    ...{ grant_type: 'client_credentials', client_id: clientId, scope: 'https://vault.azure.net/.default' },
    ...form,
  };
  const given = Object.entries(all).filter(([, value]) => value !== '');
  const asked = { host: 'login.test', path: at, remoteAddress: '127.0.0.1' };
  return directory.answer({ ...asked, form: new URLSearchParams(given) });
}

const codeOf = ({ body }: Reply): unknown => JSON.parse(body).error_codes?.[0];

/** An assertion that is right but for `claims`, `header` and the key. */
function assertion(claims: object = {}, header: object = {}, key = own.key): Record<string, string> {
  const now = Math.floor(Date.now() / 1000);
  const print = createHash('sha256').update(new X509Certificate(own.cert).raw).digest('base64url');
  const whole = {
    aud: audience,
    iss: clientId,
    sub: clientId,
    jti: randomUUID(),
    nbf: now,
    exp: now + 600,
    ...claims,
  };
  const encoded = [{ alg: 'PS256', 'x5t#S256': print, ...header }, whole].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  );
  const text = encoded.join('.');
  const pss = { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  const signature = sign('sha256', Buffer.from(text), 'alg' in header ? key : pss);
  return {
    client_assertion: `${text}.${signature.toString('base64url')}`,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  };
}

t.test('gives a token for a secret or an assertion, PS256 or RS256', async (t) => {
  const directory = start();
  for (const proof of [{ client_secret: 'secret' }, assertion(), assertion({}, { alg: 'RS256' })])
    t.equal(post(directory, proof).status, 200);
  t.match(directory.records, [
    { proofKind: 'secret', proof: 'secret', token: /^ey/ },
    { proofKind: 'assertion' },
    {},
  ]);
});

t.test('refuses by the numbers that Entra ID has', async (t) => {
  const secret = { client_secret: 'secret' };
  const long = Date.now() / 1000 - 7200;
  const used = assertion();
  const refusals: readonly (readonly [form: Record<string, string>, code: number])[] = [
    [{ client_secret: 'wrong' }, 7000215],
    [{}, 7000218],
    [{ ...secret, client_id: 'nobody' }, 700016],
    [{ ...secret, client_id: 'other' }, 700016],
    [{ ...secret, client_id: '' }, 900144],
    [{ ...secret, scope: '' }, 900144],
    [{ ...secret, scope: 'https://vault.azure.net' }, 1002012],
    [{ ...secret, scope: 'a/.default b/.default' }, 28000],
    [{ ...secret, grant_type: 'password' }, 70003],
    [assertion({}, {}, stranger.key), 700027],
    [assertion({}, { 'x5t#S256': 'unknown' }), 700027],
    [assertion({}, { alg: 'none' }), 700027],
    [assertion({ iss: 'other' }), 700027],
    [assertion({ aud: 'https://login.test/other.example/oauth2/v2.0/token' }), 700023],
    [assertion({ nbf: long, exp: long + 600 }), 700024],
    [{ client_assertion: 'x.y.z', client_assertion_type: used.client_assertion_type ?? '' }, 700027],
  ];
  const directory = start();
  for (const [form, code] of refusals)
    t.equal(codeOf(post(directory, form)), code, JSON.stringify(form).slice(0, 80));
  t.equal(post(directory, used).status, 200);
  t.equal(codeOf(post(directory, used)), 700027, 'no assertion twice');
  t.equal(codeOf(post(directory, secret, '/nobody.example/oauth2/v2.0/token')), 90002);
  t.match(post(directory, { client_secret: 'wrong' }), { status: 401, body: /"error":"invalid_client"/ });
});
