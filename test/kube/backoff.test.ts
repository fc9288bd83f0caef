import t from 'tap';
import { backoffMs, retryAfterMs } from '../../lib/kube/backoff.ts';
import { AppError } from '../../lib/model/errors.ts';

t.test('doubles from half a second to half a minute', async (t) => {
  const most = [1, 2, 3, 7, 1_000].map((failures) => backoffMs(failures, () => 1));
  t.same(most, [500, 1_000, 2_000, 30_000, 30_000]);
});

t.test('leaves half of the pause to chance', async (t) => {
  t.equal(
    backoffMs(3, () => 0),
    1_000,
  );
  t.equal(
    backoffMs(3, () => 0.5),
    1_500,
  );
});

t.test('reads Retry-After in seconds, two minutes at most', async (t) => {
  const asked = (retryAfter: string) =>
    retryAfterMs(new AppError('kube-refused', 'no', { answer: { status: 429, body: '', retryAfter } }));
  t.same(['5', '0', '86400', '-1', '1.5', 'soon', ''].map(asked), [5_000, 0, 120_000, 0, 0, 0, 0]);
  t.equal(retryAfterMs(new Error('no')), 0);
});
