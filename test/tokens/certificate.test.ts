import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
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
const notRsa = 'has a key that is not RSA, the only kind that Entra ID takes';
const refusals: Readonly<Record<string, readonly [bytes: Buffer | string, password: string, why: string]>> = {
  'a wrong password': [file('chain.pfx'), 'password', wrong],
  'a password with a line break at its end': [
    file('chain.pfx'),
    'pässword\n',
    `${wrong}, which ends in a line break`,
  ],
  'a wrong password of a PEM key': [file('encrypted.pem'), 'word', wrong],
  'a wrong password of a traditional PEM key': [file('traditional.pem'), 'word', wrong],
  'ten million rounds': [file('rounds.pfx'), 'many', rounds],
  'nine million rounds in a PEM key': [file('rounds.pem'), 'many', rounds],
  'nine million rounds under the label of a plain key': [
    file('rounds.pem').toString().replaceAll('ENCRYPTED PRIVATE', 'PRIVATE'),
    'many',
    neither,
  ],
  'an elliptic key': [file('elliptic.pfx'), 'many', notRsa],
  'an elliptic PEM key': ['-----BEGIN EC PRIVATE KEY-----\n-----END EC PRIVATE KEY-----', '', notRsa],
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
  'a password of more than 1 kB': [
    file('chain.pfx'),
    'ä'.repeat(513),
    'comes with a password that is longer than 1 kB',
  ],
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
