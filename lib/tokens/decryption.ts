import { createDecipheriv, pbkdf2Sync } from 'node:crypto';
import forge from 'node-forge';
import { type Asn1, child, children, Garbled, numberOf, octets, oidOf } from './asn1.ts';
import { deriveOld } from './pkcs12-kdf.ts';

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

/** What each decryption counts for beside its rounds: salt and password of 1 kB are hashed up to three times. */
const roundsPerDecryption = 1_000;

/** Bytes; OpenSSL, Windows and Java make 8 to 20. */
const longestSalt = 1024;

const pbes2 = '1.2.840.113549.1.5.13';
const pbkdf2 = '1.2.840.113549.1.5.12';

/** The hashes of PBKDF2 by the names of their HMACs (RFC 8018, B.1.2); SHA-1 where none is named. */
const hashes: Readonly<Record<string, { readonly name: string; readonly bytes: number }>> = {
  '1.2.840.113549.2.7': { name: 'sha1', bytes: 20 },
  '1.2.840.113549.2.9': { name: 'sha256', bytes: 32 },
  '1.2.840.113549.2.10': { name: 'sha384', bytes: 48 },
  '1.2.840.113549.2.11': { name: 'sha512', bytes: 64 },
};
const sha1 = '1.2.840.113549.2.7';

const ciphers: Readonly<Record<string, { readonly name: string; readonly keyBytes: number }>> = {
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', keyBytes: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', keyBytes: 24 },
  '2.16.840.1.101.3.4.1.42': { name: 'aes-256-cbc', keyBytes: 32 },
  '1.2.840.113549.3.7': { name: 'des-ede3-cbc', keyBytes: 24 },
};

/** With SHA-1, in the old PKCS#12 way. `rounds`: how often the named number of rounds is gone through. */
const oldWays: Readonly<
  Record<string, { readonly keyBytes: number; readonly rounds: number; readonly open: Open }>
> = {
  '1.2.840.113549.1.12.1.3': { keyBytes: 24, rounds: 3, open: openTripleDes },
  '1.2.840.113549.1.12.1.6': { keyBytes: 5, rounds: 2, open: openRc2 },
};

type Open = (key: Buffer, iv: Buffer, data: string) => string | undefined;

/** The typings lack it. */
interface Untyped {
  readonly rc2: {
    createDecryptionCipher(key: string, bits: number): Cipher & { start(iv: string, output: null): void };
  };
}
type Cipher = Pick<forge.cipher.BlockCipher, 'update' | 'finish' | 'output'>;
const { rc2 } = forge as unknown as Untyped;

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

  /** PBES2 (RFC 8018, A.4). node-forge would derive the key in JavaScript, in many times the time. */
  #decryptNew(parameters: Asn1 | undefined, data: string): string | undefined {
    const derivation = child(parameters, 0);
    if (oidOf(child(derivation, 0)) !== pbkdf2) throw new DecryptionFailure('unknown-scheme');
    const how = child(derivation, 1);
    // Between the rounds and the hash there may be the length of the key, which the cipher says, too.
    const named = children(how)
      .slice(2)
      .find(({ value }) => Array.isArray(value));
    const hash = knownIn(hashes, named ? oidOf(child(named, 0)) : sha1);
    const scheme = child(parameters, 1);
    const { name, keyBytes } = knownIn(ciphers, oidOf(child(scheme, 0)));
    const salt = saltOf(child(how, 0));
    const rounds = numberOf(child(how, 1));
    this.#pay(rounds * Math.ceil(keyBytes / hash.bytes));
    const key = pbkdf2Sync(this.#password, salt, rounds, keyBytes, hash.name);
    return openCbc(name, key, Buffer.from(octets(child(scheme, 1)), 'latin1'), data);
  }

  #decryptOld(oid: string, parameters: Asn1 | undefined, data: string): string | undefined {
    const way = knownIn(oldWays, oid);
    const salt = saltOf(child(parameters, 0));
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
    this.#rounds += roundsPerDecryption + rounds;
    if (!(this.#rounds <= mostRounds)) throw new DecryptionFailure('too-many-rounds');
  }
}

function openTripleDes(key: Buffer, iv: Buffer, data: string): string | undefined {
  return openCbc('des-ede3-cbc', key, iv, data);
}

function openCbc(cipher: string, key: Buffer, iv: Buffer, data: string): string | undefined {
  const decipher = createDecipheriv(cipher, key, iv);
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
  cipher.update(forge.util.createBuffer(data));
  return cipher.finish() ? cipher.output.getBytes() : undefined;
}

function saltOf(node: Asn1): Buffer {
  const salt = Buffer.from(octets(node), 'latin1');
  if (salt.length > longestSalt) throw new DecryptionFailure('unknown-scheme');
  return salt;
}

function knownIn<T>(table: Readonly<Record<string, T>>, oid: string): T {
  const found = Object.hasOwn(table, oid) ? table[oid] : undefined;
  if (!found) throw new DecryptionFailure('unknown-scheme');
  return found;
}
