import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import forge from 'node-forge';
import t from 'tap';
import { CertificateReader, type ClientCertificate } from '../../lib/tokens/certificate.ts';
import { issue, pfxOf } from '../lab/entra/issued.ts';

const file = (name: string): Buffer => readFileSync(join(import.meta.dirname, 'pfx', name));
const read = (bytes: Buffer | string, password = ''): ClientCertificate | string =>
  new CertificateReader().read({ file: Buffer.from(bytes), password });

const made = new X509Certificate(
  file('encrypted.pem')
    .toString()
    .replace(/^.*?(?=-----BEGIN CERT)/s, ''),
);
const [ca, stranger] = [issue('ca'), issue('stranger')];
const middle = issue('middle', { issuer: ca });
const app = issue('app', { issuer: middle });

/** The subjects of the chain, after a look whether the key is the first one's and the thumbprint, too. */
function subjects(certificate: ClientCertificate | string): string[] | string {
  if (typeof certificate === 'string') return certificate;
  const chain = certificate.x5c.match(/-----BEGIN[\s\S]+?-----END CERTIFICATE-----\n/g) ?? [];
  const all = chain.map((pem) => new X509Certificate(pem));
  const [own] = all;
  if (own?.fingerprint256.replaceAll(':', '') !== certificate.thumbprintSha256) return 'a foreign thumbprint';
  if (!own.checkPrivateKey(createPrivateKey(certificate.privateKey))) return 'a foreign key';
  return all.map(({ subject }) => subject.replace('CN=', ''));
}

const opens: Readonly<Record<string, readonly [name: string, password: string, chain: string[]]>> = {
  'what Windows and OpenSSL 1 wrote: RC2-40 and 3DES': ['legacy.pfx', 'pässword', ['app']],
  'the same without a password': ['legacy-empty.pfx', '', ['app']],
  '3DES for the certificates, too': ['triple-des.pfx', 'many', ['app']],
  'as many rounds as old Java asks for': ['java.pfx', 'many', ['app']],
  'AES-256 with a chain': ['chain.pfx', 'pässword', ['app', 'ca']],
  'AES-256 without a password': ['modern-empty.pfx', '', ['app']],
  'PEM with an encrypted PKCS#8 key': ['encrypted.pem', 'many', ['app']],
  'PEM with a key encrypted as OpenSSL once did': ['traditional.pem', 'many', ['app']],
};
for (const [promise, [name, password, chain]] of Object.entries(opens)) {
  t.test(`opens ${promise}`, async (t) => {
    const certificate = read(file(name), password);
    t.same(subjects(certificate), chain);
    t.match(certificate, { thumbprintSha256: made.fingerprint256.replaceAll(':', '') });
  });
}

t.test('puts the chain in order, its own certificate first, and leaves strangers out', async (t) => {
  const shuffled = [ca, stranger, app, middle].map(({ cert }) => cert);
  t.same(subjects(read(pfxOf(app.key, shuffled, 'word'), 'word')), ['app', 'middle', 'ca']);
  t.same(subjects(read([...shuffled, app.key].join('text between\n'))), ['app', 'middle', 'ca']);
  t.same(subjects(read(`${app.key}\n${app.cert}${middle.cert}`.replaceAll('\n', '\r\n'))), ['app', 'middle']);
});

const wrong = 'cannot be opened with the password in the key password';
const neither = `is neither PKCS#12 nor PEM, or it ${wrong}`;
const rounds =
  'asks for more rounds of key derivation than the agent will spend; export it with 10,000 or fewer';
const refusals: Readonly<Record<string, readonly [bytes: Buffer | string, password: string, why: string]>> = {
  'a wrong password': [file('chain.pfx'), 'password', wrong],
  'a password with a line break at its end': [
    file('chain.pfx'),
    'pässword\n',
    `${wrong}, which ends in a line break`,
  ],
  'a wrong password of a PEM key': [file('encrypted.pem'), 'word', wrong],
  'ten million rounds': [file('rounds.pfx'), 'many', rounds],
  'nine million rounds in a PEM key': [file('rounds.pem'), 'many', rounds],
  'an elliptic key': [file('elliptic.pfx'), 'many', 'has a key of type ec; Entra ID takes RSA'],
  'a key that is too short': [
    Object.values(issue('short', { bits: 1024 })).join(''),
    '',
    'has an RSA key of 1024 bits; 2048 to 8192 will do',
  ],
  "another's certificate": [app.key + stranger.cert, '', 'holds no certificate of its private key'],
  'a key alone': [app.key, '', 'holds no certificate'],
  'a certificate alone': [app.cert, '', 'holds no private key'],
  'two keys': [app.key + stranger.key + app.cert, '', 'holds more than one private key'],
  'seventeen certificates': [app.key + app.cert.repeat(17), '', 'holds more than 16 certificates'],
  'what is longer than 64 kB': [Buffer.alloc(65_537), '', 'is larger than 64 kB'],
  'an empty file': ['', '', neither],
  'base64 of a file': [file('chain.pfx').toString('base64'), 'pässword', neither],
  'the first half of a file': [file('chain.pfx').subarray(0, 1600), 'pässword', wrong],
  'nesting without an end': [Buffer.from('3080'.repeat(30_000), 'hex'), '', neither],
  'beginnings without an end': ['-----BEGIN PRIVATE KEY-----'.repeat(2400), '', 'holds no private key'],
};
for (const [what, [bytes, password, why]] of Object.entries(refusals)) {
  t.test(`refuses ${what}, and says so`, async (t) => {
    t.equal(read(bytes, password), why);
  });
}

t.test('refuses rounds that only add up to too many', async (t) => {
  const bag = (rounds: number): forge.asn1.Asn1 => {
    const { asn1 } = forge;
    const number = (value: number): forge.asn1.Asn1 =>
      asn1.create(0, asn1.Type.INTEGER, false, asn1.integerToDer(value).getBytes());
    const sequence = (...parts: forge.asn1.Asn1[]): forge.asn1.Asn1 =>
      asn1.create(0, asn1.Type.SEQUENCE, true, parts);
    const oid = (name: string): forge.asn1.Asn1 =>
      asn1.create(0, asn1.Type.OID, false, asn1.oidToDer(name).getBytes());
    const bytes = (text: string): forge.asn1.Asn1 => asn1.create(0, asn1.Type.OCTETSTRING, false, text);
    const inside = (value: forge.asn1.Asn1): forge.asn1.Asn1 => asn1.create(0x80, 0, true, [value]);
    const way = sequence(oid('1.2.840.113549.1.12.1.3'), sequence(bytes('saltsalt'), number(rounds)));
    const key = sequence(oid('1.2.840.113549.1.12.10.1.2'), inside(sequence(way, bytes('x'.repeat(16)))));
    const info = (text: forge.asn1.Asn1): forge.asn1.Asn1 =>
      sequence(oid('1.2.840.113549.1.7.1'), inside(bytes(asn1.toDer(text).getBytes())));
    return sequence(number(3), info(sequence(info(sequence(key, key)))));
  };
  const bytes = (rounds: number): Buffer => Buffer.from(forge.asn1.toDer(bag(rounds)).getBytes(), 'latin1');
  // With an empty password each is tried twice, three times the rounds each.
  t.equal(read(bytes(60_000)), rounds);
  t.equal(read(bytes(10)), wrong);
  t.equal(read(bytes(0)), neither);
});

t.test('remembers what it has read by its content, also what is of no use', async (t) => {
  const reader = new CertificateReader();
  const of = (name: string, password: string): unknown => reader.read({ file: file(name), password });
  const first = of('chain.pfx', 'pässword');
  t.equal(of('chain.pfx', 'pässword'), first, 'the very same object');
  t.equal(of('chain.pfx', 'other'), wrong, 'not for another password');
  t.not(of('modern-empty.pfx', ''), first);
  for (let i = 0; i < 64; i += 1) reader.read({ file: Buffer.from(String(i)), password: '' });
  t.not(of('chain.pfx', 'pässword'), first, 'forgotten when 64 others have come');
});
