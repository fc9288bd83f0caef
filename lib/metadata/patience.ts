import type { IncomingHttpHeaders } from 'node:http';

/** How long a request for an identity that is not there yet is kept waiting, ms. */
export interface Patience {
  /** Below the 10 s at which clients were seen to give up; what comes then is a 404, which they retry. */
  readonly usualMs: number;
  /** For clients that retry no 404: for them the wait is all there is. */
  readonly longMs: number;
}

/**
 * Clients known not to retry a 404: MSAL Python (and az, which uses it) over a bare requests session, terraform, curl.
 * By `x-client-SKU` and User-Agent, as they send them; both are the client's word, and only shorten or lengthen its own
 * wait.
 */
const impatient =
  /^(msal\.python|curl\/|python-requests\/|azurecli|azure-cli|hashicorp|terraform|go-azure-sdk)/i;

export function patienceFor(headers: IncomingHttpHeaders, { usualMs, longMs }: Patience): number {
  const names = [headers['x-client-sku'], headers['user-agent']];
  const known = names.some((name) => typeof name === 'string' && impatient.test(name));
  return known ? longMs : usualMs;
}
