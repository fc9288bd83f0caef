import forge from 'node-forge';

export type Asn1 = forge.asn1.Asn1;

/** What a file gives that is not what it says it is; whatever node-forge throws means the same. */
export class Garbled extends Error {}

/** Windows and old Java write BER, which is not strict. */
export function parse(text: string): Asn1 {
  return forge.asn1.fromDer(text, false);
}

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
export function numberOf(node: Asn1): number {
  const bytes = octets(node);
  const hex = Buffer.from(bytes, 'latin1').toString('hex');
  const number = bytes.length <= 4 ? Number.parseInt(hex, 16) : Number.POSITIVE_INFINITY;
  return number <= 0x7fffffff ? number : Number.POSITIVE_INFINITY;
}
