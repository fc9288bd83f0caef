import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { systemClock } from '../../lib/platform/clock.ts';
import { metricsPages, type ProbeQuestions, probePages } from '../../lib/platform/health.ts';
import { type Pages, servePages } from '../../lib/platform/pages.ts';
import { FakeClock } from '../fakes/clock.ts';

/** The pages on a port of their own, and what they answer to a path. */
async function open(t: Test, pages: Pages) {
  const { port, close } = await servePages(0, pages, systemClock);
  t.teardown(close);
  const ask = async (path: string): Promise<readonly [number, string]> => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    return [answer.status, await answer.text()];
  };
  return { port, ask };
}

const well: ProbeQuestions = { active: () => true, problems: () => [] };
const page = async () => ({ status: 200, type: 'text/plain; version=0.0.4', body: 'up 1\n' });

t.test(
  "is live as soon as it answers, and says by the original's words whether the redirect stands",
  async (t) => {
    let active = false;
    const { ask } = await open(t, probePages({ active: () => active, problems: () => ['all is wrong'] }));
    t.same(await ask('/healthz'), [200, 'Not Active']);
    active = true;
    t.same(await ask('/healthz'), [200, 'Active']);
  },
);

t.test('is ready when nothing is wrong, and says what is, one line each', async (t) => {
  let problems: string[] = ['pods: not read yet', 'redirect rules: absent'];
  const { ask } = await open(t, probePages({ ...well, problems: () => problems }));
  t.same(await ask('/readyz'), [503, 'pods: not read yet\nredirect rules: absent\n']);
  problems = [];
  t.same(await ask('/readyz'), [200, 'ready\n']);
});

t.test('serves metrics and probes apart, and nothing else with them', async (t) => {
  const metrics = await open(t, metricsPages(page, new FakeClock()));
  t.same(await metrics.ask('/metrics'), [200, 'up 1\n']);
  for (const path of ['/healthz', '/readyz', '/debug/pprof', '/'])
    t.equal((await metrics.ask(path))[0], 404, path);
  t.equal((await (await open(t, probePages(well))).ask('/metrics'))[0], 404);
});

t.test('makes one metrics page a second, whoever asks, and takes one request a connection', async (t) => {
  const clock = new FakeClock();
  let made = 0;
  const { ask, port } = await open(
    t,
    metricsPages(async () => ({ status: 200, body: `page ${++made}` }), clock),
  );
  t.same(await Promise.all([ask('/metrics'), ask('/metrics')]), [
    [200, 'page 1'],
    [200, 'page 1'],
  ]);
  await clock.advance(1_000);
  t.same(await ask('/metrics'), [200, 'page 2']);
  const socket = connect(port, '127.0.0.1');
  socket.write('GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(1_000));
  let text = '';
  for await (const chunk of socket) text += chunk;
  t.equal(text.match(/^HTTP\/1\.1 200 /gm)?.length, 1, 'what is pipelined behind it gets no page');
});
