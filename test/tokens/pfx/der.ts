import { createCipheriv, pbkdf2Sync } from 'node:crypto';
import forge from 'node-forge';

const { asn1 } = forge;
type Asn1 = forge.asn1.Asn1;

/** What PBKDF2 is asked for; AES-256 with SHA-1 and one round unless said. */
export interface Scheme {
  readonly password?: string;
  readonly salt?: Buffer;
  readonly rounds?: number;
}

export const oids = {
  data: '1.2.840.113549.1.7.1',
  encryptedData: '1.2.840.113549.1.7.6',
  tripleDes: '1.2.840.113549.1.12.1.3',
  keyBag: '1.2.840.113549.1.12.10.1.1',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
} as const;

export const sequence = (...parts: Asn1[]): Asn1 => asn1.create(0, asn1.Type.SEQUENCE, true, parts);
export const oid = (name: string): Asn1 =>
  asn1.create(0, asn1.Type.OID, false, asn1.oidToDer(name).getBytes());
export const octets = (bytes: Buffer): Asn1 =>
  asn1.create(0, asn1.Type.OCTETSTRING, false, bytes.toString('latin1'));
export const integer = (bytes: Buffer): Asn1 =>
  asn1.create(0, asn1.Type.INTEGER, false, bytes.toString('latin1'));
export const number = (value: number): Asn1 =>
  integer(Buffer.from(asn1.integerToDer(value).getBytes(), 'latin1'));
export const inside = (value: Asn1): Asn1 => asn1.create(0x80, 0, true, [value]);
export const der = (value: Asn1): Buffer => Buffer.from(asn1.toDer(value).getBytes(), 'latin1');

/** A SafeContents in the plain. */
export const plain = (...bags: Asn1[]): Asn1 =>
  sequence(oid(oids.data), inside(octets(der(sequence(...bags)))));

/** A SafeContents without a bag, encrypted by PBES2. */
export function encrypted({ password = '', salt = Buffer.alloc(8), rounds = 1 }: Scheme): Asn1 {
  const iv = Buffer.alloc(16);
  const cipher = createCipheriv('aes-256-cbc', pbkdf2Sync(password, salt, rounds, 32, 'sha1'), iv);
  const way = sequence(
    oid('1.2.840.113549.1.5.13'),
    sequence(
      sequence(oid('1.2.840.113549.1.5.12'), sequence(octets(salt), number(rounds))),
      sequence(oid('2.16.840.1.101.3.4.1.42'), octets(iv)),
    ),
  );
  const text = octets(Buffer.concat([cipher.update(der(sequence())), cipher.final()]));
  return sequence(
    oid(oids.encryptedData),
    inside(sequence(number(0), sequence(oid(oids.data), way, { ...text, tagClass: 0x80, type: 0 }))),
  );
}

/** A key that nothing can decrypt, in the old 3DES. */
export function shrouded(rounds: number): Asn1 {
  const way = sequence(oid(oids.tripleDes), sequence(octets(Buffer.alloc(8)), number(rounds)));
  return sequence(oid(oids.shroudedKeyBag), inside(sequence(way, octets(Buffer.alloc(16)))));
}

/** A PKCS#12 file of these contents, without a MAC. */
export const pfx = (...contents: Asn1[]): Buffer => der(sequence(number(3), plain(...contents)));
