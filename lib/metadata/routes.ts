import type { Target } from './canonical.ts';

/** The parts of IMDS beside identity that every pod may read. Anything not listed does not exist for a pod. */
const areas = ['instance', 'versions', 'scheduledevents', 'loadbalancer', 'attested'] as const;
export type Area = (typeof areas)[number];

/**
 * Where a request goes. `token`: the token path; `identity`: anything else under `/metadata/identity`, among it
 * `issuecredential`, which would hand out a certificate for any identity of the machine; `host`: `/host/token`, the
 * original's own endpoint for CSI drivers; `nowhere`: not ours.
 * `path` is rebuilt from the vetted segments and is the only path that is ever sent upstream.
 */
export type Route =
  | { readonly kind: 'token'; readonly path: string }
  | { readonly kind: 'identity'; readonly path: string }
  | { readonly kind: 'area'; readonly area: Area; readonly path: string }
  | { readonly kind: 'host'; readonly path: string }
  | { readonly kind: 'nowhere' };

/** An exact allow-list: the first segment in any letter case, as IMDS has it, the others as written. */
export function routeOf({ segments }: Target): Route {
  const [root, area, ...rest] = segments;
  if (segments.join('/') === 'host/token') return { kind: 'host', path: '/host/token' };
  if (root?.toLowerCase() !== 'metadata' || area === undefined) return { kind: 'nowhere' };
  const path = `/${['metadata', area, ...rest].join('/')}`;
  if (area === 'identity') {
    return { kind: path === '/metadata/identity/oauth2/token' ? 'token' : 'identity', path };
  }
  const known = areas.find((name) => name === area);
  return known ? { kind: 'area', area: known, path } : { kind: 'nowhere' };
}
