/** A request target taken apart, safe to match on and to send on: what is matched and what is forwarded are the same text. */
export interface Target {
  /** Segments between the slashes, each of plain characters; one trailing slash of the path is dropped. */
  readonly segments: readonly string[];
  /** The query without its `?`, as the client wrote it; '' when there is none. */
  readonly query: string;
}

/**
 * RFC 3986 `pchar` without `%` (percent-encoding) and `;` (path parameters). IMDS decodes `%5c`, reads `\` as `/` and
 * collapses dots, so each of these has been a way past a proxy that matched on the raw text (CVE-2022-23551). Nor `:`,
 * which no path of IMDS has: http-proxy sends `/http:/x` on as `/http://x`.
 */
const plainSegment = /^[A-Za-z0-9._~!$&'()*+,=@-]+$/;

/** Printable ASCII but for `\` and `#`: percent-encoding is fine in a query, which is parsed and never matched as a path. */
const plainQuery = /^[\x21\x22\x24-\x5b\x5d-\x7e]*$/;

/**
 * Takes the raw request target (`req.url`) apart, or gives undefined for one that must be refused: not in origin form,
 * or with a backslash, `%`, `;`, `:`, `//`, dot segment, control or non-ASCII byte in its path.
 */
export function canonicalTarget(raw: string): Target | undefined {
  const mark = raw.indexOf('?');
  const path = mark < 0 ? raw : raw.slice(0, mark);
  const query = mark < 0 ? '' : raw.slice(mark + 1);
  if (!path.startsWith('/') || !plainQuery.test(query)) return undefined;
  const bare = path.endsWith('/') ? path.slice(1, -1) : path.slice(1);
  if (bare === '') return path === '/' ? { segments: [], query } : undefined;
  const segments = bare.split('/');
  const plain = segments.every((segment) => plainSegment.test(segment) && !/^\.{1,2}$/.test(segment));
  return plain ? { segments, query } : undefined;
}
