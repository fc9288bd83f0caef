import { createDecipheriv, hash } from 'node:crypto';
import forge from 'node-forge';
import { parse } from './asn1.ts';
import { DecryptionFailure } from './decryption.ts';

const keyBytes: Readonly<Record<string, number>> = {
  'AES-128-CBC': 16,
  'AES-192-CBC': 24,
  'AES-256-CBC': 32,
  'DES-EDE3-CBC': 24,
};

/**
 * What is in a block of PEM labelled RSA PRIVATE KEY, encrypted or not (RFC 1421), as PKCS#8 DER. Not by OpenSSL, which
 * tries keys of other kinds under this label, too. Throws DecryptionFailure, and others for what is no such block.
 */
export function openTraditional(body: string, password: string): Buffer {
  const [, cipher, iv = ''] = /^DEK-Info: *([A-Z0-9-]+),([0-9A-F]+)/im.exec(body) ?? [];
  const bytes = Buffer.from(body.replace(/^.*:.*$/gm, ''), 'base64');
  const key = cipher === undefined ? bytes : decrypted(cipher, Buffer.from(iv, 'hex'), password, bytes);
  const wrapped = forge.pki.wrapRsaPrivateKey(parse(key.toString('latin1')));
  return Buffer.from(forge.asn1.toDer(wrapped).getBytes(), 'latin1');
}

function decrypted(cipher: string, iv: Buffer, password: string, bytes: Buffer): Buffer {
  const length = Object.hasOwn(keyBytes, cipher) ? keyBytes[cipher] : undefined;
  if (!length) throw new DecryptionFailure('unknown-scheme');
  const secret = Buffer.concat([Buffer.from(password), iv.subarray(0, 8)]);
  const first = hash('md5', secret, 'buffer');
  const second = hash('md5', Buffer.concat([first, secret]), 'buffer');
  const key = Buffer.concat([first, second]).subarray(0, length);
  const decipher = createDecipheriv(cipher.toLowerCase(), key, iv);
  try {
    return Buffer.concat([decipher.update(bytes), decipher.final()]);
  } catch {
    throw new DecryptionFailure('wrong-password');
  }
}
