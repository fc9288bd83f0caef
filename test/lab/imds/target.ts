export interface NormalTarget {
  /** Clean absolute path without a trailing slash; the first segment in lower case. */
  readonly path: string;
  /** Decoded pairs in order, names in lower case. */
  readonly query: readonly (readonly [string, string])[];
}

/**
 * What a lenient server makes of a request target: absolute form is stripped, percent codes are undone until none is left, a
 * backslash (IMDS does that: CVE-2022-23551) or an over-long UTF-8 slash is a slash, parameters behind `;` are dropped, a NUL ends
 * the path, doubled slashes and dot segments are resolved. The first segment compares without case, `identity` does not.
 */
export function normalise(target: string): NormalTarget {
  const origin = target.replace(/^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/\\?#]*/, '');
  const queryAt = origin.indexOf('?');
  const rawPath = (queryAt < 0 ? origin : origin.slice(0, queryAt)).replace(/#.*$/, '');
  const query = queryAt < 0 ? '' : origin.slice(queryAt + 1).replace(/#.*$/, '');
  return { path: cleanPath(rawPath), query: parseQuery(query) };
}

function cleanPath(raw: string): string {
  const decoded = decodeAll(raw)
    .replace(/\0.*$/s, '')
    .replace(/[\t\r\n]/g, '')
    .replace(/\\|\xc0\xaf|\xc1\x9c/g, '/')
    .replace(/\xc0\xae/g, '.');
  const segments: string[] = [];
  for (const part of decoded.split('/')) {
    const segment = part.replace(/;.*$/, '');
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  const [first = '', ...rest] = segments;
  return `/${[first.toLowerCase(), ...rest].join('/')}`;
}

function decodeAll(text: string): string {
  const once = text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return once === text ? text : decodeAll(once);
}

function parseQuery(text: string): [string, string][] {
  return [...new URLSearchParams(text)].map(([name, value]) => [name.toLowerCase(), value]);
}
