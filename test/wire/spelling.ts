import { sampleIdentity } from '../lab/imds/token.ts';
import type { RequestRecord } from '../lab/imds/types.ts';
import type { CallerKind } from './agent.ts';

const plainPaths = [
  '/metadata/identity/oauth2/token',
  '/metadata/identity/info',
  '/metadata/instance/compute',
  '/metadata/versions',
  '/metadata/attested/document',
];
/** What a path is spoilt with; `_` stands for nothing. */
const spoilers =
  '/ // \\ %2f %5c %255c . .. /./ /../ /..;/ ; ;a=b : http:/ @ %00 %0a # ? * ~ ( %c0%af \xc0\xaf \x80 \x01 \t % %5 x _'.split(
    ' ',
  );
const queries =
  '_ ? ?resource=r ?resource=r&api-version=2018-02-01 ?resource=r&client_id=other ?resource=r&resource=s ?/../identity ?a\\b ?a#b ?%'.split(
    ' ',
  );

/** A path that IMDS serves, spoilt in up to three places, and a query. `random` is 0 to 1, as Math.random. */
export function spelling(random: () => number): string {
  const below = (count: number): number => Math.floor(random() * count);
  const pick = (from: readonly string[]): string => (from[below(from.length)] ?? '_').replace(/^_$/, '');
  let path = pick(plainPaths);
  for (let left = below(4); left > 0; left--) {
    const at = below(path.length + 1);
    const code = path.charCodeAt(at).toString(16);
    const change = [
      () => path.slice(0, at) + pick(spoilers) + path.slice(at),
      () => path.slice(0, at) + pick(spoilers) + path.slice(at + 1),
      () => path.replace(/\/[^/]*$/, pick(spoilers)),
      () => `${path.slice(0, at)}%${code}${path.slice(at + 1)}`,
      () => path.slice(0, at) + path.slice(at, at + 3).toUpperCase() + path.slice(at + 3),
      () =>
        path.replace(
          '/metadata',
          pick(['/METADATA', '/metadata/instance/..', 'http://h/metadata', '//h/metadata']),
        ),
      () => `${path}/`,
    ][below(7)];
    path = change?.() ?? path;
  }
  return path + pick(queries);
}

const rebuilt = `/metadata/identity/oauth2/token?api-version=2018-02-01&client_id=${sampleIdentity('demo').clientId}&resource=r`;

/** Why this call should not have reached IMDS on behalf of this caller (a bound one to `demo`), if so. */
export function fault(
  { method, target, path, bodyBytes }: RequestRecord,
  caller: CallerKind,
): string | undefined {
  const call = `${caller}: ${method} ${target}`;
  if (method !== 'GET' || bodyBytes > 0) return caller === 'excepted' && method === 'POST' ? undefined : call;
  if (path.startsWith('/metadata/identity') && caller !== 'excepted') {
    return caller === 'bound' && target === rebuilt ? undefined : call;
  }
  const areas = /^\/metadata\/(identity|instance|versions|attested)(\/|$)/;
  return target.split('?')[0] === path && areas.test(path) ? undefined : `${call} is read as ${path}`;
}
