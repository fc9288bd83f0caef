import { once } from 'node:events';
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { systemClock } from '../../lib/platform/clock.ts';
import { type Page, servePages } from '../../lib/platform/pages.ts';
import { FakeClock } from '../fakes/clock.ts';
import { failureOf } from '../fakes/failure.ts';
import { eventually } from '../lab/eventually.ts';

async function serve(test: Test, pages: Parameters<typeof servePages>[1]): Promise<string> {
  const server = await servePages(0, pages, systemClock);
  test.teardown(() => server.close());
  return `http://127.0.0.1:${server.port}`;
}

const ok = (): Page => ({ status: 200, body: 'Active' });

t.test('answers by path, never from a cache', async (t) => {
  const url = await serve(t, {
    '/healthz': ok,
    '/readyz': async () => ({ status: 503, body: 'no rules\n' }),
    '/metrics': () => ({ status: 200, type: 'text/plain; version=0.0.4', body: 'up 1\n' }),
  });
  const health = await fetch(`${url}/healthz`);
  t.equal(health.status, 200);
  t.equal(health.headers.get('content-type'), 'text/plain; charset=utf-8');
  t.equal(health.headers.get('cache-control'), 'no-store');
  t.equal(await health.text(), 'Active');
  const ready = await fetch(`${url}/readyz`);
  t.same([ready.status, await ready.text()], [503, 'no rules\n']);
  t.equal((await fetch(`${url}/metrics?name=up`)).headers.get('content-type'), 'text/plain; version=0.0.4');
});

t.test('knows no other path', async (t) => {
  const url = await serve(t, { '/healthz': ok });
  for (const path of ['/', '/healthz/', '/HEALTHZ', '/constructor', '/__proto__', '/healthz%2f']) {
    const answer = await fetch(url + path);
    t.same([answer.status, await answer.text()], [404, 'not found\n'], path);
  }
});

t.test('only answers GET', async (t) => {
  const url = await serve(t, { '/healthz': ok });
  for (const method of ['POST', 'PUT', 'DELETE', 'HEAD'])
    t.equal((await fetch(`${url}/healthz`, { method })).status, 405, method);
});

t.test('a page that fails is a 500 without its reason, and the next is served', async (t) => {
  const url = await serve(t, {
    '/thrown': () => {
      throw new Error('secret');
    },
    '/rejected': () => Promise.reject(new Error('secret')),
    '/healthz': ok,
  });
  for (const path of ['/thrown', '/rejected']) {
    const answer = await fetch(url + path);
    t.same([answer.status, await answer.text()], [500, 'failed\n']);
  }
  t.equal((await fetch(`${url}/healthz`)).status, 200);
});

t.test('says which port is taken', async (t) => {
  const first = await servePages(0, {}, systemClock);
  t.teardown(() => first.close());
  const error = await failureOf(() => servePages(first.port, {}, systemClock));
  t.match(error, { code: 'listen-failed' });
  t.match(error.message, new RegExp(`^cannot listen on port ${first.port}: .*EADDRINUSE`));
});

t.test('close ends the port and its open connections', async (t) => {
  const asked = Promise.withResolvers<void>();
  const server = await servePages(
    0,
    {
      '/metrics': () => {
        asked.resolve();
        return new Promise<never>(() => undefined);
      },
    },
    systemClock,
  );
  const url = `http://127.0.0.1:${server.port}/metrics`;
  const waiting = failureOf(() => fetch(url));
  await asked.promise;
  server.close();
  t.match((await waiting).cause, { code: 'UND_ERR_SOCKET' }, 'a scraper that waits is cut off');
  t.match((await failureOf(() => fetch(url))).cause, { code: 'ECONNREFUSED' });
});

t.test(
  'resets a scraper that does not read its page, so that nothing of it stays with the kernel',
  async (t) => {
    const clock = new FakeClock();
    const body = 'x'.repeat(300_000);
    const server = await servePages(0, { '/metrics': () => ({ status: 200, body }) }, clock);
    t.teardown(() => server.close());
    const scraper = connect(server.port, '127.0.0.1');
    t.teardown(() => scraper.destroy());
    scraper.pause();
    await once(scraper, 'connect');
    scraper.write('GET /metrics HTTP/1.0\r\n\r\n');
    await eventually('the kernel has all of it', () => clock.waiting > 0);
    await clock.advance(5_000);
    const [error] = await Promise.all([once(scraper, 'error'), scraper.resume()]);
    t.match(error, [{ code: 'ECONNRESET' }]);
  },
);
