import { createHash, generateKeyPairSync } from 'node:crypto';
import { isIPv4 } from 'node:net';
import forge from 'node-forge';

/** A certificate and its RSA key, PEM. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
}

export interface IssueOptions {
  /** Itself unless said. */
  readonly issuer?: Issued;
  readonly bits?: number;
  /** Hosts and IPv4 addresses that it is good for as a TLS server. */
  readonly names?: readonly string[];
}

/** A certificate `CN=subject` with a key of its own. */
export function issue(subject: string, { issuer, bits = 2048, names = [] }: IssueOptions = {}): Issued {
  // OpenSSL makes a key in a tenth of node-forge's time.
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: bits,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const cert = forge.pki.createCertificate();
  cert.publicKey = forge.pki.publicKeyFromPem(publicKey);
  cert.serialNumber = `00${createHash('sha256').update(publicKey).digest('hex').slice(0, 16)}`;
  // A day back: a virtual machine beside this one need not have its clock.
  cert.validity.notBefore = new Date(Date.now() - 86_400_000);
  cert.validity.notAfter = new Date(Date.now() + 365 * 86_400_000);
  cert.setSubject([{ name: 'commonName', value: subject }]);
  const parent = issuer && forge.pki.certificateFromPem(issuer.cert);
  cert.setIssuer((parent ?? cert).subject.attributes);
  const altNames = names.map((name) => (isIPv4(name) ? { type: 7, ip: name } : { type: 2, value: name }));
  cert.setExtensions([
    { name: 'basicConstraints', cA: !issuer },
    ...(altNames.length > 0 ? [{ name: 'subjectAltName', altNames }] : []),
  ]);
  cert.sign(forge.pki.privateKeyFromPem(issuer?.key ?? privateKey), forge.md.sha256.create());
  return { cert: forge.pki.certificateToPem(cert), key: privateKey };
}

/** A PKCS#12 file of the key and these certificates, in AES-256. */
export function pfxOf(key: string, certificates: readonly string[], password: string): Buffer {
  const asn1 = forge.pkcs12.toPkcs12Asn1(
    forge.pki.privateKeyFromPem(key),
    certificates.map((pem) => forge.pki.certificateFromPem(pem)),
    password,
    { algorithm: 'aes256' },
  );
  return Buffer.from(forge.asn1.toDer(asn1).getBytes(), 'latin1');
}
