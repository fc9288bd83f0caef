import { createPrivateKey } from 'node:crypto';
import forge from 'node-forge';
import t from 'tap';
import { CertificateReader, type ClientCertificate } from '../../lib/tokens/certificate.ts';
import { issue } from '../lab/entra/issued.ts';
import {
  der,
  encrypted,
  inside,
  integer,
  number,
  octets,
  oid,
  oids,
  pfx,
  plain,
  sequence,
  shrouded,
} from './pfx/der.ts';

const read = (file: Buffer | string, password = ''): ClientCertificate | string =>
  new CertificateReader().read({ file: Buffer.from(file), password });

const wrong = 'cannot be opened with the password in the key password';
const neither = `is neither PKCS#12 nor PEM, or it ${wrong}`;
const tooMany =
  'asks for more rounds of key derivation than the agent will spend; export it with 10,000 or fewer';
const unsupported = 'is encrypted in a way that is not supported; export it with AES-256';
const none = 'holds no private key';

t.test('refuses rounds that only add up to too many', async (t) => {
  // With an empty password each is tried twice, three times the rounds each.
  t.equal(read(pfx(plain(shrouded(60_000)))), tooMany);
  t.equal(read(pfx(plain(shrouded(10)))), wrong);
  t.equal(read(pfx(plain(shrouded(0)))), neither);
});

t.test('counts the rounds of each block of a derived key', async (t) => {
  const { password, salt } = { password: 'word', salt: Buffer.alloc(8) };
  t.equal(read(pfx(encrypted({ password, salt, rounds: 160_000 })), password), tooMany);
  t.equal(read(pfx(encrypted({ password, salt, rounds: 2_000 })), password), none);
});

t.test('counts each decryption, however few its rounds', async (t) => {
  const one = encrypted({});
  t.equal(read(pfx(...Array.from({ length: 300 }, () => one))), tooMany);
  t.equal(read(pfx(...Array.from({ length: 20 }, () => one))), none);
});

t.test('counts the keys before it decrypts the first', async (t) => {
  t.equal(read(pfx(plain(shrouded(10), shrouded(10)))), 'holds more than one private key');
});

t.test('refuses a salt of more than 1 kB', async (t) => {
  t.equal(read(pfx(encrypted({ salt: Buffer.alloc(1025) }))), unsupported);
  t.equal(read(pfx(encrypted({ salt: Buffer.alloc(1024) }))), none);
});

t.test(
  'leaves keys of other kinds to nobody: OpenSSL raises to powers when it reads one of DSA',
  async (t) => {
    const numbers = (): forge.asn1.Asn1 => integer(Buffer.alloc(64, 0x7f));
    const parameters = sequence(numbers(), numbers(), numbers());
    const dsa = sequence(number(0), sequence(oid('1.2.840.10040.4.1'), parameters), octets(der(numbers())));
    const why = 'has a key that is not RSA, the only kind that Entra ID takes';
    t.equal(read(pfx(plain(sequence(oid(oids.keyBag), inside(dsa))))), why);
    t.equal(read(pem('PRIVATE KEY', der(dsa))), why);
    const disguised = 'has an RSA key that is not made of two primes and 8192 bits at most';
    t.equal(read(pem('RSA PRIVATE KEY', der(dsa))), disguised);
  },
);

t.test('refuses RSA keys with numbers that are longer than their modulus may be', async (t) => {
  const key = createPrivateKey(issue('app').key).export({ type: 'pkcs1', format: 'der' });
  const parts = [...(forge.asn1.fromDer(key.toString('latin1')).value as forge.asn1.Asn1[])];
  const wrapped = (...numbers: forge.asn1.Asn1[]): Buffer =>
    der(
      sequence(
        number(0),
        sequence(oid('1.2.840.113549.1.1.1'), forge.asn1.create(0, forge.asn1.Type.NULL, false, '')),
        octets(der(sequence(...numbers))),
      ),
    );
  const why = 'has an RSA key that is not made of two primes and 8192 bits at most';
  const long = integer(Buffer.alloc(1026, 0x7f));
  t.equal(read(pem('PRIVATE KEY', wrapped(...parts.toSpliced(6, 1, long)))), why);
  t.equal(read(pem('PRIVATE KEY', wrapped(...parts, sequence()))), why);
  t.equal(read(pem('PRIVATE KEY', wrapped(...parts))), 'holds no certificate');
});

const { cert, key } = issue('app');
for (const prfAlgorithm of ['sha1', 'sha256', 'sha384', 'sha512'] as const)
  for (const algorithm of ['aes128', 'aes192', 'aes256', '3des'] as const)
    t.test(`derives keys for ${algorithm} with ${prfAlgorithm} as others do`, async (t) => {
      const info = forge.pki.wrapRsaPrivateKey(forge.pki.privateKeyToAsn1(forge.pki.privateKeyFromPem(key)));
      const options = { algorithm, count: 10, prfAlgorithm };
      const closed = der(forge.pki.encryptPrivateKeyInfo(info, 'word', options));
      t.type(read(pem('ENCRYPTED PRIVATE KEY', closed) + cert, 'word'), Object);
      t.type(read(pem('ENCRYPTED PRIVATE KEY', closed) + cert, 'ward'), 'string');
    });

function pem(label: string, bytes: Buffer): string {
  return `-----BEGIN ${label}-----\n${bytes.toString('base64')}\n-----END ${label}-----\n`;
}
