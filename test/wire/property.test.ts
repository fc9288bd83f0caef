import t from 'tap';
import { canonicalTarget } from '../../lib/metadata/canonical.ts';
import { routeOf } from '../../lib/metadata/routes.ts';
import { seeded } from '../fakes/random.ts';
import { normalise } from '../lab/imds/target.ts';
import { startAgent } from './agent.ts';
import { ask, request } from './client.ts';
import { fault, spelling } from './spelling.ts';

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
