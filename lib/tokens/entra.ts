import type { ConfidentialClientApplication, INetworkModule, NetworkResponse } from '@azure/msal-node';
import { AppError } from '../model/errors.ts';
import type { Token } from '../model/token.ts';
import type { Clock } from '../platform/clock.ts';
import type { ClientCertificate } from './certificate.ts';
import type { FormAnswer, PostForm } from './entra-http.ts';
import { unpaid } from './unpaid.ts';

/** What a service principal proves itself with. */
export type Credential =
  | { readonly kind: 'secret'; readonly secret: string }
  | { readonly kind: 'certificate'; readonly certificate: ClientCertificate };

export interface EntraRequest {
  readonly host: string;
  readonly tenant: string;
  readonly clientId: string;
  readonly credential: Credential;
  readonly resource: string;
}

/** Asks once. Rejects with AppError entra-*, and with the signal's reason. */
export type AcquireToken = (request: EntraRequest, signal: AbortSignal) => Promise<Token>;

/**
 * Tokens of Microsoft Entra ID (v2 endpoint, client credentials) by MSAL, which makes the request and signs; sending it, its
 * deadline and its answer are ours.
 */
export function createEntra(post: PostForm, clock: Clock): AcquireToken {
  return async (request, signal) => {
    const exchange = new Exchange(post, request, signal);
    const application = await applicationFor(request, exchange);
    const result = await application
      .acquireTokenByClientCredential({
        scopes: [`${request.resource}/.default`],
        azureRegion: 'DisableMsalForceRegion',
      })
      .catch((error: unknown) => Promise.reject(exchange.failure ?? ofMsal(error)));
    const expiresOn = (result?.expiresOn?.getTime() ?? Number.NaN) / 1000;
    if (!result?.accessToken || !Number.isSafeInteger(expiresOn))
      throw unpaid('entra-garbled', `${request.host} answered 200 without a usable token`);
    const notBefore = Math.floor(clock.now() / 1000);
    return { accessToken: result.accessToken, expiresOn, notBefore, tokenType: result.tokenType };
  };
}

/**
 * A new one for each request (0.015 ms): MSAL remembers tokens, which the broker does, too, and throttling, after which it
 * fails without asking although another try is due. Told what it needs to know of the authority, it discovers nothing.
 * Loaded when it is needed: it takes 30 MB and 0.2 s, and most clusters have no service principals.
 */
async function applicationFor(
  { host, tenant, clientId, credential }: EntraRequest,
  networkClient: INetworkModule,
): Promise<ConfidentialClientApplication> {
  const { ConfidentialClientApplication } = await import('@azure/msal-node');
  const authority = `https://${host}/${tenant}`;
  const authorityMetadata = JSON.stringify({
    issuer: `${authority}/v2.0`,
    authorization_endpoint: `${authority}/oauth2/v2.0/authorize`,
    token_endpoint: `${authority}/oauth2/v2.0/token`,
    jwks_uri: `${authority}/discovery/v2.0/keys`,
  });
  return new ConfidentialClientApplication({
    auth: {
      ...{ clientId, authority, authorityMetadata, knownAuthorities: [host] },
      ...(credential.kind === 'secret'
        ? { clientSecret: credential.secret }
        : { clientCertificate: credential.certificate }),
    },
    system: { networkClient, disableInternalRetries: true },
  });
}

/** One request of MSAL and what became of it. MSAL wraps and drops what fails, so it is kept here. */
class Exchange implements INetworkModule {
  readonly #post: PostForm;
  readonly #request: EntraRequest;
  readonly #signal: AbortSignal;
  failure: unknown;

  constructor(post: PostForm, request: EntraRequest, signal: AbortSignal) {
    this.#post = post;
    this.#request = request;
    this.#signal = signal;
  }

  async sendPostRequestAsync<T>(
    url: string,
    { headers = {}, body = '' }: { headers?: Record<string, string>; body?: string } = {},
  ): Promise<NetworkResponse<T>> {
    try {
      const answer = await this.#post(url, { headers, body }, this.#signal).catch((error: unknown) =>
        Promise.reject(this.#unanswered(error)),
      );
      const parsed = objectIn(answer.body);
      if (answer.status !== 200) throw this.#refusal(answer, parsed !== undefined, body);
      if (!parsed || !(Number(parsed.expires_in) > 0))
        throw unpaid('entra-garbled', `${this.#request.host} answered 200 without a usable token`);
      return { headers: {}, status: 200, body: parsed as T };
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }

  /** Discovery, which `authorityMetadata` makes needless. */
  sendGetRequestAsync(): Promise<never> {
    this.failure = new Error('MSAL asks for more than a token');
    return Promise.reject(this.failure);
  }

  #unanswered(error: unknown): unknown {
    if (this.#signal.aborted) return this.#signal.reason;
    return unpaid('entra-unreachable', `${this.#request.host} cannot be reached, or broke off`, error);
  }

  /** As it came, when it is JSON and repeats nothing of what was sent to prove who we are. */
  #refusal({ status, body, retryAfter }: FormAnswer, isJson: boolean, sent: string): AppError {
    const { host, tenant } = this.#request;
    const message = `${host} answered ${status} for tenant ${tenant}`;
    const proofs = new URLSearchParams(sent);
    const repeats = ['client_secret', 'client_assertion'].some((name) => {
      const proof = proofs.get(name);
      return (
        proof !== null &&
        [proof, JSON.stringify(proof).slice(1, -1), encodeURIComponent(proof)].some((one) =>
          body.includes(one),
        )
      );
    });
    if (!isJson || repeats || status < 400) {
      const { answer = { status: 502, body: '' } } = unpaid('entra-refused', message);
      return new AppError('entra-refused', message, { status, retryAfter, answer });
    }
    const answer = retryAfter === undefined ? { status, body } : { status, body, retryAfter };
    return new AppError('entra-refused', message, { status, retryAfter, answer });
  }
}

/** MSAL's own failure, before it asked. Its code alone: its words are about what it was given. */
function ofMsal(error: unknown): AppError {
  const code = error instanceof Error && 'errorCode' in error ? String(error.errorCode) : 'unknown';
  return unpaid('entra-garbled', `The request to Entra ID could not be made (${code})`);
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
