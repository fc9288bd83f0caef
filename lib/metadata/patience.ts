import type { IncomingHttpHeaders } from 'node:http';

/** How long a request for an identity that is not there yet is kept waiting, ms. */
export interface Patience {
  /** Below the 10 s at which clients were seen to give up; what comes then is a 404, which they retry. */
  readonly usualMs: number;
  /** For clients that retry no 404: for them the wait is all there is. */
  readonly longMs: number;
}

/**
 * Clients known not to retry a 404: MSAL Python (and az, which uses it) over a bare requests session, curl, and terraform,
 * whose only mark is Go's own User-Agent (captured; see test/wire/heads). By `x-client-SKU` and User-Agent, as they send them;
 * both are the client's word, and only shorten or lengthen its own wait.
 */
const impatient =
  /^(msal\.python|curl\/|python-requests\/|azurecli|azure-cli|hashicorp|terraform|go-azure-sdk)/i;

export function patienceFor(headers: IncomingHttpHeaders, { usualMs, longMs }: Patience): number {
  const sku = headers['x-client-sku'];
  const agent = headers['user-agent'] ?? '';
  // The Azure SDKs retry, also Python's, which carries the SKU of the MSAL beneath it (measured, 1.27).
  if (/^azsdk-/i.test(agent)) return usualMs;
  const isBareGo = sku === undefined && agent.startsWith('Go-http-client/');
  const known = isBareGo || impatient.test(agent) || (typeof sku === 'string' && impatient.test(sku));
  return known ? longMs : usualMs;
}
