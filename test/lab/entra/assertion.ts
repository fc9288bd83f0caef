import { constants, verify, X509Certificate } from 'node:crypto';
import type { RefusalNumber } from './refusals.ts';
import type { App } from './types.ts';

/** Clocks may differ by this much, s. */
const skew = 300;

type Claims = Readonly<Record<string, unknown>>;

/** Verifies client assertions as Entra ID does: signature, certificate, audience, time, and that none comes twice. */
export class Assertions {
  readonly #seen = new Set<unknown>();

  /** Why it is refused; undefined when it is good. `audiences`: the token endpoint, and what stands for it. */
  refuse(assertion: string, app: App, audiences: readonly string[]): RefusalNumber | undefined {
    const [head = '', payload = '', signature = ''] = assertion.split('.');
    const [header, claims] = [decode(head), decode(payload)];
    if (!header || !claims) return 700027;
    const certificate = certificateOf(app, header);
    if (!certificate || !isSigned(header, certificate, `${head}.${payload}`, signature)) return 700027;
    if (claims.iss !== app.clientId || claims.sub !== app.clientId || this.#seen.has(claims.jti))
      return 700027;
    if (!audiences.includes(String(claims.aud))) return 700023;
    const now = Date.now() / 1000;
    if (!(Number(claims.nbf) <= now + skew && Number(claims.exp) > now - skew)) return 700024;
    this.#seen.add(claims.jti);
    return undefined;
  }
}

/** The registered certificate that the header names, or the leaf of its chain when its subject name is trusted. */
function certificateOf({ certificates = [], subjectName }: App, header: Claims): X509Certificate | undefined {
  const registered = certificates.map((pem) => new X509Certificate(pem));
  const named = registered.find(
    (certificate) =>
      header['x5t#S256'] === print(certificate.fingerprint256) ||
      header.x5t === print(certificate.fingerprint),
  );
  if (named || !subjectName || !Array.isArray(header.x5c)) return named;
  const [leaf] = header.x5c.map((der) => new X509Certificate(Buffer.from(String(der), 'base64')));
  const issuer = new X509Certificate(subjectName.issuer);
  const isIssued = leaf?.checkIssued(issuer) && leaf.verify(issuer.publicKey);
  return isIssued && leaf?.subject === subjectName.subject ? leaf : undefined;
}

function isSigned(
  header: Claims,
  { publicKey: key }: X509Certificate,
  text: string,
  signature: string,
): boolean {
  const bytes = Buffer.from(signature, 'base64url');
  if (header.alg === 'RS256') return verify('sha256', Buffer.from(text), key, bytes);
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  const pss = { key, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return header.alg === 'PS256' && verify('sha256', Buffer.from(text), pss, bytes);
}

function print(fingerprint: string): string {
  return Buffer.from(fingerprint.replaceAll(':', ''), 'hex').toString('base64url');
}

function decode(part: string): Claims | undefined {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString()) as Claims;
  } catch {
    return undefined;
  }
}
