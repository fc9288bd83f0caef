import { createDecipheriv } from 'node:crypto';
import forge from 'node-forge';
import { deriveOld } from './pkcs12-kdf.ts';

export type Asn1 = forge.asn1.Asn1;

/** Why something is not decrypted. */
export type DecryptionProblem = 'wrong-password' | 'too-many-rounds' | 'unknown-scheme';

export class DecryptionFailure extends Error {
  readonly problem: DecryptionProblem;

  constructor(problem: DecryptionProblem) {
    super(problem);
    this.name = 'DecryptionFailure';
    this.problem = problem;
  }
}

/**
 * Rounds of key derivation that one file may ask for in all: each takes about 1 µs (measured) of the one thread that serves all
 * pods. OpenSSL and Windows ask for 2,000, Java for 10,000. Java once asked for 50,000 in the old way, which takes
 * them three times for the key and twice for the certificates.
 */
const mostRounds = 300_000;

const pbes2 = '1.2.840.113549.1.5.13';
const pbkdf2 = '1.2.840.113549.1.5.12';

/** With SHA-1, in the old PKCS#12 way. `rounds`: how often the named number of rounds is gone through. */
const oldWays: Readonly<
  Record<string, { readonly keyBytes: number; readonly rounds: number; readonly open: Open }>
> = {
  '1.2.840.113549.1.12.1.3': { keyBytes: 24, rounds: 3, open: openTripleDes },
  '1.2.840.113549.1.12.1.6': { keyBytes: 5, rounds: 2, open: openRc2 },
};

type Open = (key: Buffer, iv: Buffer, data: string) => string | undefined;

/** The typings lack both. */
interface Untyped {
  readonly pki: {
    readonly pbe: { getCipher(oid: string, parameters: Asn1 | undefined, password: string): Cipher };
  };
  readonly rc2: {
    createDecryptionCipher(key: string, bits: number): Cipher & { start(iv: string, output: null): void };
  };
}
type Cipher = Pick<forge.cipher.BlockCipher, 'update' | 'finish' | 'output'>;
const { pki, rc2 } = forge as unknown as Untyped;

/** Decrypts parts of one file with its password, and adds up what that costs. */
export class Decryption {
  readonly #password: string;
  #rounds = 0;

  constructor(password: string) {
    this.#password = password;
  }

  /** `algorithm` is an AlgorithmIdentifier; bytes as binary strings. Throws DecryptionFailure. */
  decrypt(algorithm: Asn1, data: string): string {
    const [name, parameters] = children(algorithm);
    const oid = oidOf(name);
    const opened =
      oid === pbes2 ? this.#decryptNew(parameters, data) : this.#decryptOld(oid, parameters, data);
    if (opened === undefined) throw new DecryptionFailure('wrong-password');
    return opened;
  }

  #decryptNew(parameters: Asn1 | undefined, data: string): string | undefined {
    const [derivation, how] = children(child(parameters, 0));
    if (oidOf(derivation) !== pbkdf2) throw new DecryptionFailure('unknown-scheme');
    this.#pay(numberOf(child(how, 1)));
    return opened(pki.pbe.getCipher(pbes2, parameters, forge.util.encodeUtf8(this.#password)), data);
  }

  #decryptOld(oid: string, parameters: Asn1 | undefined, data: string): string | undefined {
    const way = Object.hasOwn(oldWays, oid) ? oldWays[oid] : undefined;
    if (!way) throw new DecryptionFailure('unknown-scheme');
    const salt = Buffer.from(octets(child(parameters, 0)), 'latin1');
    const rounds = numberOf(child(parameters, 1));
    // An empty password is a text that ends at once; to some writers it is nothing at all.
    const ended = Buffer.from(`${this.#password}\0`, 'utf16le').swap16();
    for (const password of this.#password === '' ? [ended, Buffer.alloc(0)] : [ended]) {
      this.#pay(rounds * way.rounds);
      const derive = (id: number, length: number): Buffer =>
        deriveOld({ id, password, salt, rounds, length });
      const text = way.open(derive(1, way.keyBytes), derive(2, 8), data);
      if (text !== undefined) return text;
    }
    return undefined;
  }

  #pay(rounds: number): void {
    if (rounds < 1) throw new Garbled();
    this.#rounds += rounds;
    if (!(this.#rounds <= mostRounds)) throw new DecryptionFailure('too-many-rounds');
  }
}

function opened(cipher: Cipher, data: string): string | undefined {
  cipher.update(forge.util.createBuffer(data));
  return cipher.finish() ? cipher.output.getBytes() : undefined;
}

function openTripleDes(key: Buffer, iv: Buffer, data: string): string | undefined {
  const decipher = createDecipheriv('des-ede3-cbc', key, iv);
  try {
    return decipher.update(data, 'latin1', 'latin1') + decipher.final('latin1');
  } catch {
    return undefined; // the padding is wrong
  }
}

/** OpenSSL 3, and with it Node, has no RC2. */
function openRc2(key: Buffer, iv: Buffer, data: string): string | undefined {
  const cipher = rc2.createDecryptionCipher(key.toString('latin1'), 40);
  cipher.start(iv.toString('latin1'), null);
  return opened(cipher, data);
}

/** What a file gives that is not what it says it is; whatever node-forge throws means the same. */
export class Garbled extends Error {}

export function children(node: Asn1 | undefined): readonly Asn1[] {
  if (!node || !Array.isArray(node.value)) throw new Garbled();
  return node.value;
}

export function child(node: Asn1 | undefined, at: number): Asn1 {
  const found = children(node)[at];
  if (!found) throw new Garbled();
  return found;
}

/** The bytes of an OCTET STRING, which may come in parts. */
export function octets(node: Asn1): string {
  return Array.isArray(node.value) ? node.value.map(octets).join('') : node.value;
}

export function oidOf(node: Asn1 | undefined): string {
  if (typeof node?.value !== 'string') return '';
  return forge.asn1.derToOid(node.value);
}

/** Infinity for what does not fit in 31 bits. */
function numberOf(node: Asn1): number {
  const bytes = octets(node);
  const hex = Buffer.from(bytes, 'latin1').toString('hex');
  const number = bytes.length <= 4 ? Number.parseInt(hex, 16) : Number.POSITIVE_INFINITY;
  return number <= 0x7fffffff ? number : Number.POSITIVE_INFINITY;
}
