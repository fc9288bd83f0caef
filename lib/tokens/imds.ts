import { AppError } from '../model/errors.ts';
import type { AzureIdentity } from '../model/identity.ts';
import type { Token } from '../model/token.ts';
import { type HttpClient, HttpFailure } from '../platform/http.ts';
import type { TokenSource } from './source.ts';

/** The only version that serves tokens on every cloud; it is what the SDKs send. */
const apiVersion = '2018-02-01';
/** The IMDS team's own bound for an answer is 10 s. */
const deadlineMs = 10_000;

/** Type 0: a managed identity that is assigned to this machine, asked of IMDS by client id, as the node. */
export function createImdsSource(http: HttpClient, userAgent: string): TokenSource {
  return {
    authority: () => 'imds',
    credential: () => '',
    async fetch(identity: AzureIdentity, resource: string): Promise<Token> {
      // Without it IMDS would answer with the node's own identity. Policy refuses such identities; this is the last gate.
      if (identity.clientId === '') throw new Error(`AzureIdentity ${identity.name} has no client id`);
      const query = new URLSearchParams({
        'api-version': apiVersion,
        client_id: identity.clientId,
        resource,
      });
      const answer = await http
        .get(`/metadata/identity/oauth2/token?${query}`, {
          headers: { metadata: 'true', 'user-agent': userAgent },
          deadlineMs,
        })
        .catch((error: unknown) => Promise.reject(unanswered(error)));
      if (answer.status === 200) return readToken(answer.body);
      const { status, body, retryAfter } = answer;
      const passedOn = isObject(parse(body)) && status >= 400;
      throw new AppError('imds-refused', `IMDS answered ${status}`, {
        status,
        retryAfter,
        ...(passedOn
          ? { answer: retryAfter === undefined ? { status, body } : { status, body, retryAfter } }
          : {}),
      });
    },
  };
}

function unanswered(error: unknown): unknown {
  if (!(error instanceof HttpFailure)) return error;
  if (error.problem === 'timeout')
    return new AppError('imds-timeout', `IMDS did not answer within ${deadlineMs} ms`, { cause: error });
  const what =
    error.problem === 'too-large' ? 'IMDS sent an answer that is too large' : 'IMDS cannot be reached';
  return new AppError('imds-unreachable', what, { cause: error });
}

/** IMDS writes numbers as strings; both are read. Its body never enters a message, since it may hold the token. */
function readToken(body: string): Token {
  const raw = parse(body);
  const expiresOn = isObject(raw) ? Number(raw.expires_on) : Number.NaN;
  const dated = Number.isSafeInteger(expiresOn) && expiresOn > 0; // "Infinity" and 1e999 are numbers too
  if (!isObject(raw) || typeof raw.access_token !== 'string' || raw.access_token === '' || !dated) {
    throw new AppError('imds-garbled', 'IMDS answered 200 without a usable access_token and expires_on');
  }
  const notBefore = Number(raw.not_before);
  return {
    accessToken: raw.access_token,
    expiresOn,
    notBefore: Number.isSafeInteger(notBefore) ? notBefore : 0,
    tokenType: typeof raw.token_type === 'string' ? raw.token_type : 'Bearer',
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
