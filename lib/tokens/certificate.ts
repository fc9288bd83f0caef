import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { DecryptionFailure } from './decryption.ts';
import { openKey, openPfx, rsaSizes } from './pfx.ts';
import { openTraditional } from './traditional.ts';

/** What a service principal signs with, as MSAL takes it. */
export interface ClientCertificate {
  /** PKCS#8 PEM. */
  readonly privateKey: string;
  /** Hexadecimal. */
  readonly thumbprintSha256: string;
  /** PEM: the key's own certificate, then its issuers as far as they are there, for subject-name/issuer authentication. */
  readonly x5c: string;
  /** End of the key's own certificate, s since the epoch. MSAL does not look at it; Entra ID does. */
  readonly expiresOn: number;
}

/** What a Secret holds of it: PKCS#12 or PEM, and the password, '' for none. */
export interface CertificateFile {
  readonly file: Buffer;
  readonly password: string;
}

/** A chain of a few certificates and a key have 10 kB; Entra ID takes no header that is much larger. */
const mostBytes = 64 * 1024;
/** Each decryption hashes all of it. */
const longestPassword = 1024;
const mostCertificates = 16;
const mostBits = 8192;
const mostKept = 64;
const notRsa = 'has a key that is not RSA, the only kind that Entra ID takes';

/** Why a file is of no use: a clause without its subject. Thrown inside, handed out as text. */
class Useless extends Error {}

/**
 * Reads certificates, and remembers what it has read by the digest of file and password, since a PKCS#12 file takes 2 to 300 ms
 * of the one thread. What is of no use is remembered, too.
 */
export class CertificateReader {
  readonly #known = new Map<string, ClientCertificate | string>();

  /** The certificate, or a clause that says why there is none ("is not …"). Neither holds a part of the file's secrets. */
  read({ file, password }: CertificateFile): ClientCertificate | string {
    if (file.length > mostBytes) return `is larger than ${mostBytes / 1024} kB`;
    if (Buffer.byteLength(password) > longestPassword)
      return 'comes with a password that is longer than 1 kB';
    const digest = createHash('sha256').update(`${file.length} `).update(file).update(password).digest('hex');
    const known = this.#known.get(digest);
    if (known !== undefined) return known;
    const read = readCertificate(file, password);
    const [oldest] = this.#known.keys();
    if (this.#known.size >= mostKept && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(digest, read);
    return read;
  }
}

function readCertificate(file: Buffer, password: string): ClientCertificate | string {
  try {
    const isPem = file.includes('-----BEGIN ');
    const { key, certificates } = isPem
      ? fromPem(file.toString('latin1'), password)
      : fromPfx(file, password);
    const own = certificates.find((certificate) => certificate.checkPrivateKey(key));
    if (!own) return 'holds no certificate of its private key';
    return {
      privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
      thumbprintSha256: own.fingerprint256.replaceAll(':', ''),
      x5c: chainOf(own, certificates).map(String).join(''),
      expiresOn: Math.floor(own.validToDate.getTime() / 1000),
    };
  } catch (error) {
    return whyUseless(error, password);
  }
}

interface Content {
  readonly key: KeyObject;
  readonly certificates: readonly X509Certificate[];
}

function fromPfx(file: Buffer, password: string): Content {
  const { keys, certificates } = openPfx(file, password);
  const [open] = onlyOne(keys);
  return {
    key: rsaKey(open()),
    certificates: few(certificates).map((der) => new X509Certificate(der)),
  };
}

function fromPem(text: string, password: string): Content {
  const blocks = [
    ...text.matchAll(/-----BEGIN ([A-Z0-9 ]{1,40})-----((?:(?!-----)[\s\S])*)-----END \1-----/g),
  ];
  const labelled = (label: RegExp): string[][] => blocks.filter(([, name = '']) => label.test(name));
  const [block] = onlyOne(labelled(/^([A-Z]+ )?PRIVATE KEY$/));
  const key = rsaKey(pkcs8In(block, password));
  const certificates = few(labelled(/^(X509 )?CERTIFICATE$/));
  return { key, certificates: certificates.map(([pem = '']) => new X509Certificate(pem)) };
}

/**
 * The DER in a block of PEM. OpenSSL never gets the password: also under the label PRIVATE KEY it decrypts PKCS#8, with as
 * many rounds as the file says.
 */
function pkcs8In([, label, body = '']: readonly string[], password: string): Buffer {
  switch (label) {
    case 'PRIVATE KEY':
      return Buffer.from(body, 'base64');
    case 'ENCRYPTED PRIVATE KEY':
      return openKey(Buffer.from(body, 'base64'), password);
    case 'RSA PRIVATE KEY':
      return openTraditional(body, password);
    default:
      throw new Useless(notRsa);
  }
}

/** Looks before OpenSSL does, which computes the public key of a DSA key when it reads it: 10 s for one of 8 kB. */
function rsaKey(pkcs8: Buffer): KeyObject {
  const sizes = rsaSizes(pkcs8);
  if (!sizes) throw new Useless(notRsa);
  // Further primes are further numbers; a signature takes as long as the longest of them makes it. The sign has a byte.
  if (sizes.length !== 9 || sizes.some((size) => size > mostBits / 8 + 1))
    throw new Useless(`has an RSA key that is not made of two primes and ${mostBits} bits at most`);
  const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < 2048 || bits > mostBits)
    throw new Useless(`has an RSA key of ${bits} bits; 2048 to ${mostBits} will do`);
  return key;
}

/** From the key's own certificate up, as far as issuers are there. */
function chainOf(own: X509Certificate, all: readonly X509Certificate[]): X509Certificate[] {
  const chain = [own];
  for (const certificate of chain) {
    const issuer = all.find((other) => !chain.includes(other) && certificate.checkIssued(other));
    if (issuer) chain.push(issuer);
  }
  return chain;
}

function onlyOne<T>(keys: readonly T[]): [T] {
  const [key] = keys;
  if (key === undefined) throw new Useless('holds no private key');
  if (keys.length > 1) throw new Useless('holds more than one private key');
  return [key];
}

function few<T>(certificates: readonly T[]): readonly T[] {
  if (certificates.length === 0) throw new Useless('holds no certificate');
  if (certificates.length > mostCertificates)
    throw new Useless(`holds more than ${mostCertificates} certificates`);
  return certificates;
}

/** Only our own words: those of a parser may quote what it has read. */
function whyUseless(error: unknown, password: string): string {
  if (error instanceof Useless) return error.message;
  const lineBreak = /[\r\n]$/.test(password) ? ', which ends in a line break' : '';
  const wrong = `cannot be opened with the password in the key password${lineBreak}`;
  if (!(error instanceof DecryptionFailure))
    return `is neither PKCS#12 nor PEM, or ${wrong.replace('cannot', 'it cannot')}`;
  switch (error.problem) {
    case 'wrong-password':
      return wrong;
    case 'too-many-rounds':
      return 'asks for more rounds of key derivation than the agent will spend; export it with 10,000 or fewer';
    case 'unknown-scheme':
      return 'is encrypted in a way that is not supported; export it with AES-256';
  }
}
