import type { IdentitySelector, TokenRequest } from '../model/decision.ts';

/** Why a query is refused; each is a 400 in reply.ts. */
export type QueryProblem = 'query-malformed' | 'query-duplicate' | 'resource-missing' | 'two-identities';

/** Spellings of the one parameter for an ARM resource id: SDKs use all three. */
const selectors: readonly (readonly [string, IdentitySelector['by']])[] = [
  ['client_id', 'client_id'],
  ['object_id', 'object_id'],
  ['msi_res_id', 'resource_id'],
  ['mi_res_id', 'resource_id'],
  ['msi-res-id', 'resource_id'],
];

/**
 * Reads a token request's query: names and values as IMDS takes them, unknown names ignored, empty ids as not given.
 * `api-version` is not asked for, because the original did not and curl users leave it out.
 */
export function readTokenQuery(query: string): TokenRequest | QueryProblem {
  const values = new Map<string, string>();
  for (const pair of query.split('&').filter((part) => part !== '')) {
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = decode(equals < 0 ? '' : pair.slice(equals + 1));
    if (name === undefined || value === undefined) return 'query-malformed';
    if (values.has(name)) return 'query-duplicate';
    values.set(name, value);
  }
  const resource = values.get('resource');
  if (!resource) return 'resource-missing';
  const named = selectors.flatMap(([name, by]) => {
    const value = values.get(name);
    return value ? [{ by, value }] : [];
  });
  if (named.length > 1) return 'two-identities';
  return named[0] ? { resource, selector: named[0] } : { resource };
}

function decode(text: string): string | undefined {
  if (!/[%+]/.test(text)) return text; // most of them: a quarter of the time
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
