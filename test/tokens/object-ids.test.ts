import t from 'tap';
import { ObjectIds } from '../../lib/tokens/object-ids.ts';
import { anIdentity } from '../fakes/model.ts';

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (claims: unknown): string => `${encoded({ alg: 'RS256' })}.${encoded(claims)}.signature`;
const token = (accessToken: string) => ({ accessToken, expiresOn: 2, notBefore: 1, tokenType: 'Bearer' });
const demo = anIdentity();

/** What is known of `demo` after its token was read. */
function learned(accessToken: string, identity = demo): string | undefined {
  const ids = new ObjectIds();
  ids.learn(identity, token(accessToken));
  return ids.of(identity);
}

t.test('knows nothing of an identity before its first token', async (t) => {
  t.equal(new ObjectIds().of(demo), undefined);
});

t.test('reads the object id of a token, and gives it as it was written', async (t) => {
  t.equal(learned(jwt({ oid: 'ABCD', sub: 'other' })), 'ABCD');
});

t.test('takes the newest token at its word', async (t) => {
  const ids = new ObjectIds();
  ids.learn(demo, token(jwt({ oid: 'old' })));
  ids.learn(demo, token(jwt({ oid: 'new' })));
  ids.learn(demo, token('garbled'));
  t.equal(ids.of(demo), 'new');
});

t.test('knows an identity by its client id, in any letter case and in every object', async (t) => {
  const ids = new ObjectIds();
  ids.learn(anIdentity({ clientId: 'ABC' }), token(jwt({ oid: 'one' })));
  t.equal(ids.of(anIdentity({ clientId: 'abc', namespace: 'other', name: 'same' })), 'one');
  t.equal(ids.of(anIdentity({ clientId: 'abcd' })), undefined);
  ids.learn(anIdentity({ clientId: 'constructor' }), token('x'));
  t.equal(ids.of(anIdentity({ clientId: 'constructor' })), undefined);
});

t.test('learns nothing from what is not a token with an object id, and does not mind it', async (t) => {
  const odd = [
    '',
    '.',
    '..',
    'opaque',
    'a.b',
    'a.b.c',
    '.bm90IGpzb24.',
    `x.${encoded('oid')}.x`,
    `x.${encoded(7)}.x`,
    `x.${encoded(null)}.x`,
    `x.${encoded(['oid'])}.x`,
    jwt({}),
    jwt({ oid: '' }),
    jwt({ oid: 7 }),
    jwt({ oid: null }),
    jwt({ oid: { oid: 'x' } }),
    jwt({ OID: 'x' }),
    `x.${'['.repeat(50_000)}.x`,
    `${encoded({ oid: 'in the header' })}.${encoded({})}.x`,
  ];
  for (const accessToken of odd) t.equal(learned(accessToken), undefined, accessToken.slice(0, 40));
});

t.test('learns nothing from the tokens of service principals', async (t) => {
  for (const type of [1, 2, -1]) t.equal(learned(jwt({ oid: 'forged' }), anIdentity({ type })), undefined);
  const ids = new ObjectIds();
  ids.learn(demo, token(jwt({ oid: 'right' })));
  ids.learn(anIdentity({ type: 1 }), token(jwt({ oid: 'forged' })));
  t.equal(ids.of(demo), 'right', 'also where one names the client id of a managed identity');
});

t.test('holds 4,096 at most, and none of them goes for one that it knows', async (t) => {
  const ids = new ObjectIds();
  const number = (i: number) => anIdentity({ clientId: `client-${i}` });
  for (let i = 0; i < 4_096; i++) ids.learn(number(i), token(jwt({ oid: `o${i}` })));
  ids.learn(number(7), token(jwt({ oid: 'renewed' })));
  t.same([ids.of(number(0)), ids.of(number(7)), ids.of(number(4_095))], ['o0', 'renewed', 'o4095']);
  ids.learn(number(4_096), token(jwt({ oid: 'one more' })));
  t.same([ids.of(number(0)), ids.of(number(4_096))], [undefined, 'one more'], 'they are learned again');
});
