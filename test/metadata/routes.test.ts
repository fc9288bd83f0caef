import t from 'tap';
import { canonicalTarget } from '../../lib/metadata/canonical.ts';
import { type Route, routeOf } from '../../lib/metadata/routes.ts';

const tokenPath = '/metadata/identity/oauth2/token';

function route(raw: string): Route {
  const target = canonicalTarget(raw);
  if (!target) throw new Error(`refused before it has a route: ${raw}`);
  return routeOf(target);
}

t.test(
  'knows the token path by one spelling, a slash at the end and the letter case of its first segment aside',
  (t) => {
    for (const raw of [
      tokenPath,
      `${tokenPath}/`,
      `${tokenPath}?a=b`,
      '/METADATA/identity/oauth2/token',
      '/MetaData/identity/oauth2/token/',
    ]) {
      t.same(route(raw), { kind: 'token', path: tokenPath }, raw);
    }
    t.end();
  },
);

t.test('takes all else under identity for what only the node may ask', (t) => {
  const others = [
    '/metadata/identity',
    '/metadata/identity/',
    '/metadata/identity/info',
    '/metadata/identity/issuecredential',
    '/metadata/identity/getplatformmetadata',
    '/metadata/identity/oauth2',
    '/metadata/identity/oauth2/tokenfoo',
    '/metadata/identity/oauth2/token/extra',
    '/metadata/identity/OAuth2/token',
    '/metadata/identity/oauth2/Token',
    '/metadata/identity/x/oauth2/y/token',
  ];
  for (const raw of others) t.same(route(raw), { kind: 'identity', path: raw.replace(/\/$/, '') }, raw);
  t.same(route('/METADATA/identity/info'), { kind: 'identity', path: '/metadata/identity/info' });
  t.end();
});

t.test('knows the five open areas and what is below them, and rebuilds their paths', (t) => {
  for (const area of ['instance', 'versions', 'scheduledevents', 'loadbalancer', 'attested']) {
    const path = `/metadata/${area}`;
    t.same(route(path), { kind: 'area', area, path });
    t.same(route(`/METAdata/${area}/`), { kind: 'area', area, path });
    t.same(route(`${path}/compute/vmId?format=text`), { kind: 'area', area, path: `${path}/compute/vmId` });
    t.same(route(`${path}/identity/oauth2/token`), {
      kind: 'area',
      area,
      path: `${path}/identity/oauth2/token`,
    });
  }
  t.end();
});

t.test('knows the endpoint of the node’s drivers by one spelling and a slash at the end', (t) => {
  for (const raw of ['/host/token', '/host/token/', '/host/token?resource=r']) {
    t.same(route(raw), { kind: 'host', path: '/host/token' }, raw);
  }
  t.end();
});

t.test('leads nowhere from everywhere else', (t) => {
  const elsewhere = [
    '/',
    '/metadata',
    '/metadata/',
    '/metadata/Identity/oauth2/token',
    '/metadata/Instance',
    '/metadata/instancefoo',
    '/metadata/identityoauth2token',
    '/metadata/unknown',
    '/foo/metadata/identity/oauth2/token',
    '/metadatax/identity/oauth2/token',
    '/latest/meta-data',
    '/computeMetadata/v1',
    '/Host/token',
    '/host/tokens',
    '/host/token/x',
    '/host',
    '/metadata/host/token',
    '/metrics',
    '/__proto__/identity',
    '/metadata/__proto__',
    '/metadata/constructor',
  ];
  for (const raw of elsewhere) t.same(route(raw), { kind: 'nowhere' }, raw);
  t.end();
});
