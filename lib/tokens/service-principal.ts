import { AppError, isAppError } from '../model/errors.ts';
import { type AzureIdentity, identityTypes, type ServicePrincipal } from '../model/identity.ts';
import type { Token } from '../model/token.ts';
import type { Clock } from '../platform/clock.ts';
import { type Authority, authorityOf } from './authority.ts';
import type { CertificateReader } from './certificate.ts';
import {
  certificateFileIn,
  clientSecretIn,
  dataOf,
  type ReadSecret,
  type SecretAnswer,
  secretNamed,
  unusable,
} from './credential.ts';
import type { AcquireToken, Credential } from './entra.ts';
import type { EnterSource, TokenSource } from './source.ts';
import { Turns } from './turns.ts';
import { unpaid } from './unpaid.ts';

/** For all of a fetch: the Secret, the tokens of all tenants, and the second try. */
const deadlineMs = 10_000;
/** For the Secret, so that time is left for Entra ID, and the log tells which of them was slow. */
const secretMs = 4_000;
/** Fetches under way at once. */
const mostFetches = 16;

export interface ServicePrincipalOptions {
  readonly clock: Clock;
  readonly readSecret: ReadSecret;
  readonly acquire: AcquireToken;
  /** Hosts that credentials may be sent to, beside those of the known clouds. */
  readonly allowedHosts: readonly string[];
  readonly crossNamespaceSecrets: boolean;
  /** A certificate was read for this identity; `expiresOn` is its end, s since the epoch. */
  readonly onCertificate?: (identity: AzureIdentity, expiresOn: number) => void;
}

/** An identity that may be asked for: whom to ask, and with what. */
interface Order {
  readonly identity: AzureIdentity;
  readonly authority: Authority;
  readonly secret: ServicePrincipal['secret'];
}

/**
 * Types 1 and 2: a service principal, asked of Microsoft Entra ID with the secret or the certificate in a Secret, which is
 * read for every fetch. `authority` and `credential` throw where the agent's flags forbid the identity, so that the broker
 * has no token for it either.
 */
export class ServicePrincipalSource implements TokenSource {
  readonly #options: ServicePrincipalOptions;
  readonly enter: EnterSource;
  #certificates: CertificateReader | undefined;

  constructor(options: ServicePrincipalOptions) {
    this.#options = options;
    this.enter = new Turns(options.clock, mostFetches).enter;
  }

  authority(identity: AzureIdentity): string {
    const { host, tenants } = this.#order(identity).authority;
    return JSON.stringify([host, ...tenants]);
  }

  credential(identity: AzureIdentity): string {
    const { namespace, name } = this.#order(identity).secret;
    return JSON.stringify([namespace, name]);
  }

  /** Rejects with AppError credential-* or entra-*, always with an `answer`. */
  async fetch(identity: AzureIdentity, resource: string): Promise<Token> {
    const order = this.#order(identity);
    const over = new AbortController();
    const late = (): void =>
      over.abort(
        unpaid('entra-timeout', `${order.authority.host} did not answer within ${deadlineMs / 1000} s`),
      );
    const deadline = this.#options.clock.after(deadlineMs, late);
    try {
      return await this.#tokens(order, resource, over.signal).catch((error: unknown) => {
        if (!isCredentialRefused(error)) throw error;
        // The Secret may have changed since it was read, or the new credential be known to Entra ID only now.
        return this.#tokens(order, resource, over.signal);
      });
    } finally {
      deadline.cancel();
      over.abort();
    }
  }

  /** Throws AppError `credential-unusable`. */
  #order(identity: AzureIdentity): Order {
    const { servicePrincipal, namespace, name, clientId } = identity;
    const of = `AzureIdentity ${namespace}/${name}`;
    if (!servicePrincipal || clientId === '') throw unusable(of, 'it has no clientID');
    const { secret } = servicePrincipal;
    if (secret.name === '') throw unusable(of, 'its clientPassword names no Secret');
    if (secret.namespace !== namespace && !this.#options.crossNamespaceSecrets) {
      const why = `its clientPassword names a Secret of another namespace, which the agent allows only with --allow-cross-namespace-secrets`;
      throw unusable(of, why);
    }
    const authority = authorityOf({ ...identity, servicePrincipal }, this.#options.allowedHosts);
    if (typeof authority === 'string') throw unusable(of, authority);
    return { identity, authority, secret };
  }

  async #tokens(order: Order, resource: string, signal: AbortSignal): Promise<Token> {
    const { host, tenants } = order.authority;
    const { clientId } = order.identity;
    const credential = await this.#credentialOf(order, signal);
    const ask = (tenant: string): Promise<Token> =>
      this.#options.acquire({ host, tenant, clientId, credential, resource }, signal);
    const [first, ...auxiliary] = await Promise.all([ask(tenants[0]), ...tenants.slice(1).map(ask)]);
    if (auxiliary.length === 0) return first;
    const expiresOn = Math.min(...[first, ...auxiliary].map((token) => token.expiresOn));
    return { ...first, expiresOn, auxiliary };
  }

  async #credentialOf({ identity, secret }: Order, signal: AbortSignal): Promise<Credential> {
    const of = secretNamed(secret, `${identity.namespace}/${identity.name}`);
    const data = dataOf(await this.#read(secret, signal), of);
    if (identity.type === identityTypes.servicePrincipalSecret)
      return { kind: 'secret', secret: clientSecretIn(data, of) };
    const file = certificateFileIn(data, of);
    const certificate = (await this.#reader()).read(file);
    if (typeof certificate === 'string') throw unusable(of, `its certificate ${certificate}`);
    this.#options.onCertificate?.(identity, certificate.expiresOn);
    return { kind: 'certificate', certificate };
  }

  async #read(secret: Order['secret'], signal: AbortSignal): Promise<SecretAnswer> {
    const late = new AbortController();
    const why = `the API server did not answer within ${secretMs / 1000} s`;
    const deadline = this.#options.clock.after(secretMs, () => late.abort(new AppError('kube-timeout', why)));
    try {
      return await this.#options.readSecret(secret, AbortSignal.any([signal, late.signal]));
    } finally {
      deadline.cancel();
    }
  }

  /** Loaded when it is needed: node-forge takes 40 ms, and most clusters have no certificates. */
  async #reader(): Promise<CertificateReader> {
    const { CertificateReader } = await import('./certificate.ts');
    this.#certificates ??= new CertificateReader();
    return this.#certificates;
  }
}

/** Entra ID knows the application and does not take its secret, its certificate or its signature. */
function isCredentialRefused(error: unknown): boolean {
  if (!isAppError(error, 'entra-refused')) return false;
  const { error: code } = JSON.parse(error.answer?.body ?? '{}') as { error?: unknown };
  return code === 'invalid_client';
}
