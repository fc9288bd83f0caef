import t from 'tap';
import { canonicalTarget } from '../../lib/metadata/canonical.ts';
import { routeOf } from '../../lib/metadata/routes.ts';
import { normalise } from '../lab/imds/target.ts';
import type { RequestRecord } from '../lab/imds/types.ts';
import { type CallerKind, demo, startAgent } from './agent.ts';
import { ask, request } from './client.ts';

/** Numbers from 0 to below 1, the same in every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

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

/** A path that IMDS serves, spoilt in up to three places, and a query. */
function spelling(random: () => number): string {
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

t.test('a path that is taken reads the same to the most lenient server', (t) => {
  const random = seeded(1);
  let taken = 0;
  for (let i = 0; i < 100_000; i++) {
    const raw = spelling(random);
    const target = canonicalTarget(raw);
    if (!target) continue;
    taken++;
    const route = routeOf(target);
    const read = normalise(raw).path;
    if (route.kind !== 'nowhere' && route.path !== read)
      t.fail(`${raw} is ${route.path} to us and ${read} to others`);
    const others = /^\/metadata\/(identity|instance)(\/|$)/.exec(read)?.[1];
    if (others && route.kind === 'nowhere') t.fail(`${raw} leads nowhere here and to ${read} there`);
    if (others === 'identity' && route.kind === 'area')
      t.fail(`${raw} passes as an area and is ${read} there`);
  }
  t.ok(taken > 10_000, `${taken} of 100,000 were taken`);
  t.end();
});

/** Why this call should not have reached IMDS on behalf of this caller, if so. */
function fault({ method, target, path, bodyBytes }: RequestRecord, caller: CallerKind): string | undefined {
  const call = `${caller}: ${method} ${target}`;
  if (method !== 'GET' || bodyBytes > 0) return caller === 'excepted' && method === 'POST' ? undefined : call;
  if (path.startsWith('/metadata/identity') && caller !== 'excepted') {
    return caller === 'bound' && target === rebuilt ? undefined : call;
  }
  const areas = /^\/metadata\/(identity|instance|versions|attested)(\/|$)/;
  return target.split('?')[0] === path && areas.test(path) ? undefined : `${call} is read as ${path}`;
}

const rebuilt = `/metadata/identity/oauth2/token?api-version=2018-02-01&client_id=${demo.clientId}&resource=r`;

t.test('no spelling brings a byte below identity to IMDS but by the rebuilt call', async (t) => {
  const agent = await startAgent(t);
  const random = seeded(2);
  let reached = 0;
  for (const caller of Array.from({ length: 8 }, () => ['bound', 'unknown', 'excepted'] as const).flat()) {
    agent.caller = caller;
    const before = agent.served.length;
    for (let i = 0; i < 100; i++) {
      const method = random() < 0.9 ? 'GET' : 'POST';
      await ask(agent, request(method, spelling(random), 'Metadata: true', 'Connection: close'));
    }
    const causes = agent.served.slice(before).filter(({ code }) => code === 'upstream' || code === 'token');
    const calls = await agent.upstream();
    t.same(
      calls.flatMap((call) => fault(call, caller) ?? []),
      [],
    );
    t.ok(calls.length <= causes.length, 'each call has its cause');
    reached += calls.length;
  }
  t.ok(reached > 200, `${reached} of 2,400 requests reached IMDS`);
});
