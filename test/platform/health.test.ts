import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { type HealthOptions, openHealth } from '../../lib/platform/health.ts';
import { servePages } from '../../lib/platform/pages.ts';
import { FakeClock, settle } from '../fakes/clock.ts';
import { failureOf } from '../fakes/failure.ts';

/** Health pages on ports of their own, and what they answer to a path. */
async function open(t: Test, more: Partial<HealthOptions> = {}) {
  const health = await openHealth({
    probePort: 0,
    metricsPort: 0,
    active: () => true,
    problems: () => [],
    metrics: async () => ({ status: 200, type: 'text/plain; version=0.0.4', body: 'up 1\n' }),
    clock: new FakeClock(),
    ...more,
  });
  t.teardown(() => health.close());
  const ask = async (port: number, path: string): Promise<readonly [number, string]> => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    return [answer.status, await answer.text()];
  };
  return {
    probe: (path: string) => ask(health.probePort, path),
    scrape: (path: string) => ask(health.metricsPort, path),
    health,
  };
}

t.test(
  "is live as soon as it answers, and says by the original's words whether the redirect stands",
  async (t) => {
    let active = false;
    const { probe } = await open(t, { active: () => active, problems: () => ['all is wrong'] });
    t.same(await probe('/healthz'), [200, 'Not Active']);
    active = true;
    t.same(await probe('/healthz'), [200, 'Active']);
  },
);

t.test('is ready when nothing is wrong, and says what is, one line each', async (t) => {
  let problems: string[] = ['pods: not read yet', 'redirect rules: absent'];
  const { probe } = await open(t, { problems: () => problems });
  t.same(await probe('/readyz'), [503, 'pods: not read yet\nredirect rules: absent\n']);
  problems = [];
  t.same(await probe('/readyz'), [200, 'ready\n']);
});

t.test('serves metrics on their own port, and nothing else there', async (t) => {
  const { probe, scrape } = await open(t);
  t.same(await scrape('/metrics'), [200, 'up 1\n']);
  for (const path of ['/healthz', '/readyz', '/debug/pprof', '/'])
    t.equal((await scrape(path))[0], 404, path);
  t.equal((await probe('/metrics'))[0], 404);
});

t.test('closes both ports', async (t) => {
  const { health, probe, scrape } = await open(t);
  health.close();
  for (const ask of [() => probe('/healthz'), () => scrape('/metrics')])
    t.match((await failureOf(ask)).cause, { code: 'ECONNREFUSED' });
});

t.test('leaves no port open when one of them is taken', async (t) => {
  const listeners = (): number =>
    process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length;
  const taken = await servePages(0, {});
  t.teardown(() => taken.close());
  const before = listeners();
  t.match(await failureOf(() => open(t, { metricsPort: taken.port })), { code: 'listen-failed' });
  await settle();
  t.equal(listeners(), before);
});

t.test('makes one metrics page a second, whoever asks, and takes one request a connection', async (t) => {
  const clock = new FakeClock();
  let made = 0;
  const metrics: HealthOptions['metrics'] = async () => ({ status: 200, body: `page ${++made}` });
  const { scrape, health } = await open(t, { clock, metrics });
  t.same(await Promise.all([scrape('/metrics'), scrape('/metrics')]), [
    [200, 'page 1'],
    [200, 'page 1'],
  ]);
  await clock.advance(1_000);
  t.same(await scrape('/metrics'), [200, 'page 2']);
  const socket = connect(health.metricsPort, '127.0.0.1');
  socket.write('GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(1_000));
  let text = '';
  for await (const chunk of socket) text += chunk;
  t.equal(text.match(/^HTTP\/1\.1 200 /gm)?.length, 1, 'what is pipelined behind it gets no page');
});
