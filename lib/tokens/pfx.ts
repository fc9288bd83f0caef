import forge from 'node-forge';
import { type Asn1, child, children, Garbled, octets, oidOf, parse } from './asn1.ts';
import { Decryption } from './decryption.ts';

/** What a PKCS#12 file holds: private keys in PKCS#8 and certificates in X.509, both DER. */
export interface PfxContent {
  /** Each decrypts its key, if need be, and throws as `openPfx`: they can be counted before the first is paid for. */
  readonly keys: readonly (() => Buffer)[];
  readonly certificates: readonly Buffer[];
}

const oids = {
  data: '1.2.840.113549.1.7.1',
  encryptedData: '1.2.840.113549.1.7.6',
  keyBag: '1.2.840.113549.1.12.10.1.1',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certBag: '1.2.840.113549.1.12.10.1.3',
  rsa: '1.2.840.113549.1.1.1',
} as const;

/**
 * Opens a PKCS#12 file (RFC 7292): AES or 3DES by PBES2, and the old RC2 and 3DES. node-forge's own reader derives keys as often
 * as the file says; here each derivation is paid for first. The MAC is not verified: who writes the Secret can make one that is
 * valid, and a wrong password shows in what it decrypts. Throws DecryptionFailure, and others for what is no such file.
 */
export function openPfx(file: Buffer, password: string): PfxContent {
  const decryption = new Decryption(password);
  const [, authSafe] = children(parse(file.toString('latin1')));
  const bags = children(parse(contentOf(authSafe, decryption)))
    .flatMap((info) => children(parse(contentOf(info, decryption))))
    .map((bag) => ({ id: oidOf(child(bag, 0)), value: child(child(bag, 1), 0) }));
  const of = (id: string): Asn1[] => bags.filter((bag) => bag.id === id).map(({ value }) => value);
  return {
    keys: [
      ...of(oids.keyBag).map((key) => () => bytes(forge.asn1.toDer(key).getBytes())),
      ...of(oids.shroudedKeyBag).map((key) => () => bytes(unshroud(key, decryption))),
    ],
    // A certBag names its kind, and X.509 is the only one in use; whatever else it is, it will not parse.
    certificates: of(oids.certBag).map((bag) => bytes(octets(child(child(bag, 1), 0)))),
  };
}

/** An EncryptedPrivateKeyInfo (RFC 5958) as PKCS#8 DER. Throws as `openPfx`. */
export function openKey(file: Buffer, password: string): Buffer {
  return bytes(unshroud(parse(file.toString('latin1')), new Decryption(password)));
}

/** How long the numbers of an RSA key in PKCS#8 DER are, bytes; undefined for a key of another kind. Throws as `openPfx`. */
export function rsaSizes(key: Buffer): readonly number[] | undefined {
  const info = parse(key.toString('latin1'));
  if (oidOf(child(child(info, 1), 0)) !== oids.rsa) return undefined;
  return children(parse(octets(child(info, 2)))).map((number) => octets(number).length);
}

function unshroud(key: Asn1, decryption: Decryption): string {
  return decryption.decrypt(child(key, 0), octets(child(key, 1)));
}

/** The bytes in a ContentInfo, decrypted where they are not plain. */
function contentOf(info: Asn1 | undefined, decryption: Decryption): string {
  const kind = oidOf(child(info, 0));
  const content = child(child(info, 1), 0);
  if (kind === oids.data) return octets(content);
  if (kind !== oids.encryptedData) throw new Garbled();
  const encrypted = child(content, 1);
  return decryption.decrypt(child(encrypted, 1), octets(child(encrypted, 2)));
}

function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
