import { generateKeyPairSync } from 'node:crypto';
import forge from 'node-forge';

/** A key and a self-signed certificate (its own CA) in PEM, good for the address, 127.0.0.1 and localhost. */
export function selfSigned(address: string): { key: string; cert: string } {
  // RSA because node-forge signs with nothing else; the key from OpenSSL, which is ten times as fast.
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const cert = forge.pki.createCertificate();
  cert.publicKey = forge.pki.publicKeyFromPem(publicKey);
  cert.serialNumber = `01${forge.util.bytesToHex(forge.random.getBytesSync(8))}`;
  // A day back: the namespaces of a lab share the machine's clock, a virtual machine beside it need not.
  cert.validity.notBefore = new Date(Date.now() - 86_400_000);
  cert.validity.notAfter = new Date(Date.now() + 365 * 86_400_000);
  const name = [{ name: 'commonName', value: 'kube-api-stand-in' }];
  cert.setSubject(name);
  cert.setIssuer(name);
  const ips = [...new Set([address, '127.0.0.1'])].map((ip) => ({ type: 7, ip }));
  cert.setExtensions([
    { name: 'basicConstraints', cA: true },
    { name: 'subjectAltName', altNames: [...ips, { type: 2, value: 'localhost' }] },
  ]);
  cert.sign(forge.pki.privateKeyFromPem(privateKey), forge.md.sha256.create());
  return { key: privateKey, cert: forge.pki.certificateToPem(cert) };
}
