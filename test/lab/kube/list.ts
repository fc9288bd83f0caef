import type { Kind } from './kinds.ts';
import { isJson, type Json, type KubeObject } from './object.ts';
import { type Filter, parseSelectors } from './selectors.ts';
import * as status from './status.ts';
import type { Store } from './store.ts';

const tooOld =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list.';

/** One page of a list, all pages of which show the state at one revision. Throws ApiError. */
export function list(store: Store, kind: Kind, namespace: string | undefined, query: URLSearchParams): Json {
  const matches = parseSelectors(kind, query);
  const { revision, start, limit } = startOf(store, query);
  const within: Filter = (object) => namespace === undefined || object.metadata.namespace === namespace;
  const found = [...store.state(kind, revision)]
    .filter(([key, object]) => key >= start && within(object) && matches(object))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const page = limit > 0 ? found.slice(0, limit) : found;
  const left = found.length - page.length;
  const metadata: Json = { resourceVersion: String(revision), ...(kind.custom ? { continue: '' } : {}) };
  if (left > 0) {
    metadata.continue = continueToken(revision, `${page.at(-1)?.[0]}\0`);
    if (!query.get('labelSelector') && !query.get('fieldSelector')) metadata.remainingItemCount = left;
  }
  return status.listBody(
    kind,
    metadata,
    page.map(([, object]) => object),
  );
}

/** `resourceVersion` as a number; 0 for absent. The real server answers garbage with 500. */
export function parseRevision(text: string | null): number {
  if (!text) return 0;
  if (!/^\d+$/.test(text)) {
    const why = `strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`;
    throw status.failure(500, '', `resourceVersion: Invalid value: ${JSON.stringify(text)}: ${why}`);
  }
  return Number(text);
}

/** The `resourceVersion` of a get or list. Throws 504 for one of the future (the real server waits 3 s for it first). */
export function checkRevision(store: Store, query: URLSearchParams): number {
  const asked = parseRevision(query.get('resourceVersion'));
  if (asked > store.revision) throw status.tooLargeVersion(asked, store.revision);
  return asked;
}

/** Everything of a kind that a watch begins with. */
export function snapshot(store: Store, kind: Kind, matches: Filter): KubeObject[] {
  return [...store.state(kind).values()].filter(matches);
}

function parseLimit(text: string | null): number {
  if (text === null || text === '') return 0;
  if (!/^-?\d+$/.test(text))
    throw status.badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Math.max(0, Number(text));
}

/** Which state to show, from which key on, and how many of it; limit 0 is all. */
interface Start {
  readonly revision: number;
  readonly start: string;
  readonly limit: number;
}

/**
 * Version absent: the newest state. 0: any state, and the limit does not count (measured). N without a limit: at least as
 * new as N, so the newest; with a limit: exactly N.
 */
function startOf(store: Store, query: URLSearchParams): Start {
  const limit = parseLimit(query.get('limit'));
  const asked = checkRevision(store, query);
  const token = query.get('continue');
  if (token) {
    if (asked > 0) throw status.badRequest('specifying resource version is not allowed when using continue');
    return { ...continuedFrom(store, token), limit };
  }
  const exact = asked > 0 && limit > 0;
  if (exact && asked < store.floor) {
    throw status.expired('The resourceVersion for the provided list is too old.');
  }
  return {
    revision: exact ? asked : store.revision,
    start: '',
    limit: query.get('resourceVersion') === '0' ? 0 : limit,
  };
}

function continueToken(revision: number, start: string): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start })).toString('base64url');
}

function continuedFrom(store: Store, token: string): { revision: number; start: string } {
  const { rv, start } = decoded(token);
  // What a 410 hands out: the rest of the list as it is now, inconsistent with the pages before.
  if (rv === -1) return { revision: store.revision, start };
  if (rv < store.floor) throw status.expired(tooOld, { metadata: { continue: continueToken(-1, start) } });
  return { revision: rv, start };
}

function decoded(token: string): { rv: number; start: string } {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (isJson(value) && typeof value.rv === 'number' && typeof value.start === 'string') {
      return { rv: value.rv, start: value.start };
    }
  } catch {
    // Not a token of ours; said below.
  }
  throw status.badRequest('invalid continue token: continue key is not valid');
}
