import type { HttpClient } from '../platform/http.ts';
import { askJson, type Failure, failure, type Got, type JsonObject, recordOf } from './ask.ts';

/** Whose token, and for whom. Without an id: the one that the pod gets by default. */
export interface TokenQuestion {
  readonly resource: string;
  readonly clientId?: string;
  /** ARM id of the managed identity. */
  readonly resourceId?: string;
}

export interface Imds {
  readonly http: HttpClient;
  /** `http://169.254.169.254` */
  readonly origin: string;
  readonly userAgent: string;
}

const tokenPath = '/metadata/identity/oauth2/token';
/** The original's; its NMI may hold a request for that long. */
export const imdsDeadlineMs = 80_000;

/** `http://169.254.169.254/metadata/identity/oauth2/token` */
export function msiEndpointOf({ origin }: Pick<Imds, 'origin'>): string {
  return `${origin}${tokenPath}`;
}

/** An access token as any app in this pod would ask for it. It never enters a log, an error or an output. */
export async function askToken({ http, userAgent }: Imds, question: TokenQuestion): Promise<Got<string>> {
  const { resource, clientId, resourceId } = question;
  const query = new URLSearchParams({ 'api-version': '2018-02-01', resource });
  if (clientId !== undefined) query.set('client_id', clientId);
  if (resourceId !== undefined) query.set('msi_res_id', resourceId);
  const got = await askJson(http, {
    ...{ whom: 'the token endpoint', path: `${tokenPath}?${query}`, deadlineMs: imdsDeadlineMs },
    headers: { metadata: 'true', 'user-agent': userAgent },
  });
  if (got.kind === 'failure') return { ...got, passing: got.passing || isAwaited(got) };
  const { access_token: token } = got.value;
  if (typeof token === 'string' && token !== '') return { kind: 'got', value: token };
  return failure('the token endpoint answered 200 without an access_token', true);
}

/** While an identity is being assigned, NMI answers 404, and IMDS 400 with these words. */
function isAwaited({ status, why }: Failure): boolean {
  return status === 404 || /identity not found/i.test(why);
}

/** What the token says of itself, unverified. Nothing for one that is no JWT. */
export function claimsOf(token: string): JsonObject {
  try {
    return recordOf(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()));
  } catch {
    return {};
  }
}
