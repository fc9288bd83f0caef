import type { AppError } from '../model/errors.ts';
import type { ServicePrincipal } from '../model/identity.ts';
import { clean } from '../model/text.ts';
import type { CertificateFile } from './certificate.ts';
import { unpaid } from './unpaid.ts';

/** What the API server says of a Secret: its bytes by key, or why there are none. */
export type SecretAnswer =
  | { readonly kind: 'found'; readonly data: ReadonlyMap<string, Buffer> }
  | { readonly kind: 'absent' }
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'silent'; readonly why: string };

/** Never rejects but for a fault of ours. */
export type ReadSecret = (name: ServicePrincipal['secret'], signal: AbortSignal) => Promise<SecretAnswer>;

/** Entra ID makes secrets of 40 characters and takes longer ones that were chosen by people. */
const longestSecret = 4096;

/** The content of a Secret. Throws AppError `credential-missing` or `credential-unreadable`, for `of`: `Secret ns/name …`. */
export function dataOf(answer: SecretAnswer, of: string): ReadonlyMap<string, Buffer> {
  switch (answer.kind) {
    case 'found':
      return answer.data;
    case 'absent':
      throw unpaid('credential-missing', `There is no ${of}`);
    case 'refused':
      throw unpaid(
        'credential-unreadable',
        `The agent has no right to get ${of} (${answer.status}): grant its service account get on secrets there`,
      );
    case 'silent':
      throw unpaid('credential-unreadable', `${of} could not be read: ${answer.why}`);
  }
}

/**
 * The client secret in a Secret, byte for byte: `clientSecret` if there, the only key otherwise; the original took whichever
 * key came first. Throws AppError `credential-unusable`.
 */
export function clientSecretIn(data: ReadonlyMap<string, Buffer>, of: string): string {
  const [only] = data.size === 1 ? data.values() : [];
  const value = data.get('clientSecret') ?? only;
  if (!value) {
    const why = data.size === 0 ? 'it is empty' : 'none of its keys is clientSecret, and there are several';
    throw unusable(of, why);
  }
  if (value.length === 0) throw unusable(of, 'its client secret is empty');
  if (value.length > longestSecret)
    throw unusable(of, `its value is longer than ${longestSecret} bytes, so it is no client secret`);
  const text = value.toString('utf8');
  if (!Buffer.from(text).equals(value)) throw unusable(of, 'its client secret is not text');
  return text;
}

/**
 * The certificate file in a Secret: `certificate` (PKCS#12 or PEM) and `password`, as in the original, or `tls.crt` and
 * `tls.key` of a TLS Secret. Throws AppError `credential-unusable`.
 */
export function certificateFileIn(data: ReadonlyMap<string, Buffer>, of: string): CertificateFile {
  const password = data.get('password')?.toString('utf8') ?? '';
  const [file, chain, key] = ['certificate', 'tls.crt', 'tls.key'].map((name) => data.get(name));
  if (file) return { file, password };
  if (chain && key) return { file: Buffer.concat([chain, Buffer.from('\n'), key]), password };
  throw unusable(of, 'it has neither the key certificate nor the keys tls.crt and tls.key');
}

export function unusable(of: string, why: string): AppError {
  return unpaid('credential-unusable', `${of} cannot be used: ${why}`);
}

/** How sentences name a Secret, whose name is any text that an object's author chose. */
export function secretNamed({ namespace, name }: ServicePrincipal['secret'], identity: string): string {
  return `Secret ${clean(namespace)}/${clean(name)}, which AzureIdentity ${identity} names in clientPassword,`;
}
