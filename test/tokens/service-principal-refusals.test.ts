import { inspect } from 'node:util';
import t from 'tap';
import { isAppError } from '../../lib/model/errors.ts';
import type { AzureIdentity } from '../../lib/model/identity.ts';
import type { SecretAnswer } from '../../lib/tokens/credential.ts';
import { failureOf } from '../fakes/failure.ts';
import { PrincipalRig, rigWith } from './principal-rig.ts';
import { aPrincipal } from './principals.ts';

const secret = 'Secret apps/demo-secret, which AzureIdentity apps/demo names in clientPassword,';
const unusable = (why: string, of = secret): object => ({
  code: 'credential-unusable',
  message: `${of} cannot be used: ${why}`,
  answer: { status: 400 },
});
const identity = 'AzureIdentity apps/demo';
const foreign = { namespace: 'vault', name: 'demo-secret' };
const refusals: Readonly<
  Record<string, readonly [data: Record<string, string | Buffer>, identity: AzureIdentity, object]>
> = {
  'an empty Secret': [{}, aPrincipal(), unusable('it is empty')],
  'a Secret of several keys': [
    { a: 'topsecret-1', b: 'topsecret-2' },
    aPrincipal(),
    unusable('none of its keys is clientSecret, and there are several'),
  ],
  'an empty client secret': [{ clientSecret: '' }, aPrincipal(), unusable('its client secret is empty')],
  'a megabyte of client secret': [
    { clientSecret: 'topsecret'.repeat(100_000) },
    aPrincipal(),
    unusable('its value is longer than 4096 bytes, so it is no client secret'),
  ],
  'bytes that are no text': [
    { clientSecret: Buffer.from([0xff, 0xfe]) },
    aPrincipal(),
    unusable('its client secret is not text'),
  ],
  'a certificate that is none': [
    { certificate: 'topsecret', password: 'topsecret' },
    aPrincipal({}, { type: 2 }),
    unusable(
      'its certificate is neither PKCS#12 nor PEM, or it cannot be opened with the password in the key password',
    ),
  ],
  'a Secret without a certificate': [
    { clientSecret: 'topsecret' },
    aPrincipal({}, { type: 2 }),
    unusable('it has neither the key certificate nor the keys tls.crt and tls.key'),
  ],
  'no clientID': [{}, aPrincipal({}, { clientId: '' }), unusable('it has no clientID', identity)],
  'no Secret': [
    {},
    aPrincipal({ secret: { namespace: 'apps', name: '' } }),
    unusable('its clientPassword names no Secret', identity),
  ],
  'a Secret of another namespace': [
    {},
    aPrincipal({ secret: foreign }),
    unusable(
      'its clientPassword names a Secret of another namespace, which the agent allows only with --allow-cross-namespace-secrets',
      identity,
    ),
  ],
  'an unknown authority': [
    {},
    aPrincipal({ adEndpoint: 'https://evil.example' }),
    unusable(
      'its adEndpoint https://evil.example is not one of the known clouds, nor in --allowed-ad-endpoints of the agent',
      identity,
    ),
  ],
};
for (const [what, [data, asked, expected]] of Object.entries(refusals)) {
  t.test(`${what} is refused with its own sentence, in the answer too, and nothing is sent`, async (t) => {
    const rig = rigWith(data);
    const error = await failureOf(() => rig.fetch(asked));
    t.match(error, expected);
    const { body = '' } = (isAppError(error) && error.answer) || {};
    t.same(JSON.parse(body), { error: 'invalid_request', error_description: error.message });
    t.notMatch(inspect(error, { depth: 9, showHidden: true }), /topsecret/);
    t.same(rig.asked, []);
  });
}

t.test('what the agent forbids has no place in the cache either', async (t) => {
  const rig = new PrincipalRig();
  for (const refusedOne of [
    aPrincipal({ secret: foreign }),
    aPrincipal({ adEndpoint: 'https://evil.example' }),
  ]) {
    t.throws(() => rig.source.credential(refusedOne), { code: 'credential-unusable' });
    t.throws(() => rig.source.authority(refusedOne), { code: 'credential-unusable' });
  }
});

t.test('the operator may allow Secrets of other namespaces, and further authorities', async (t) => {
  const rig = new PrincipalRig({ crossNamespaceSecrets: true, allowedHosts: ['login.stack.example'] });
  rig.secrets.set('vault/demo-secret', { clientSecret: 'good' });
  await rig.fetch(aPrincipal({ secret: foreign, adEndpoint: 'https://login.stack.example' }));
  t.match(rig.asked, [{ host: 'login.stack.example' }]);
});

t.test(
  'a Secret that is missing, forbidden or out of reach each has its own sentence and status',
  async (t) => {
    const cases: readonly (readonly [SecretAnswer, object])[] = [
      [
        { kind: 'absent' },
        { code: 'credential-missing', message: `There is no ${secret}`, answer: { status: 404 } },
      ],
      [
        { kind: 'refused', status: 403 },
        {
          code: 'credential-unreadable',
          message: `The agent has no right to get ${secret} (403): grant its service account get on secrets there`,
          answer: { status: 503 },
        },
      ],
      [
        { kind: 'silent', why: 'the API server was silent' },
        {
          code: 'credential-unreadable',
          message: `${secret} could not be read: the API server was silent`,
          answer: { status: 503 },
        },
      ],
    ];
    for (const [answer, expected] of cases) {
      const rig = rigWith();
      rig.answer = answer;
      t.match(await failureOf(() => rig.fetch()), expected);
      t.same(rig.asked, []);
    }
  },
);
