import t from 'tap';
import { retryAfterMs } from '../../lib/platform/retry-after.ts';

t.test('reads seconds and dates, and nothing else', async (t) => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  const cases: [string | undefined, number | undefined][] = [
    ['7', 7_000],
    ['0', 0],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    [undefined, undefined],
    ['', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['Soon', undefined],
    ['9999999999', undefined],
  ];
  for (const [header, ms] of cases) t.equal(retryAfterMs(header, now), ms, String(header));
});
