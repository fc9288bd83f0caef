import t from 'tap';
import { createRecorder } from '../../lib/metadata/record.ts';
import type { Served } from '../../lib/metadata/server.ts';
import { createLogger } from '../../lib/platform/log.ts';
import { NmiMetrics } from '../../lib/platform/metrics.ts';

function recording() {
  const lines: Record<string, unknown>[] = [];
  const to = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  const metrics = new NmiMetrics();
  return { lines, metrics, record: createRecorder(createLogger('json', { to }), metrics) };
}

const refused: Served = {
  ...{ requestId: 'id-1', method: 'GET', trace: { route: 'refused' }, code: 'too-many-requests' },
  ...{ status: 429, ms: 250, at: 0, address: '10.0.0.5' },
};

t.test('a flood is a line a second that counts, and metrics that count all', async (t) => {
  const { lines, metrics, record } = recording();
  for (let at = 0; at <= 2_000; at += 10) record({ ...refused, at });
  t.same(
    lines.map(({ code, times }) => [code, times]),
    [
      ['too-many-requests', undefined],
      ['too-many-requests', 100],
      ['too-many-requests', 100],
    ],
  );
  t.match(
    (await metrics.page()).body,
    /podidentity_answers_total\{route="refused",code="too-many-requests"\} 201/,
  );
});

t.test('every other request is a line of its own', (t) => {
  const { lines, record } = recording();
  for (let i = 0; i < 5; i++) record({ ...refused, code: 'path-refused', status: 400 });
  t.equal(lines.length, 5);
  t.end();
});

t.test('what an upstream caused is cut and cleaned', (t) => {
  const { lines, record } = recording();
  record({
    ...refused,
    code: 'upstream-failed',
    status: 502,
    cause: new Error(`${'\u001b\n'.repeat(500_000)}`),
  });
  t.match(lines, [{ level: 'warn', cause: /^\?{200}…$/ }]);
  t.end();
});
