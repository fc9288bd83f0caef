import t from 'tap';
import { AppError, isAppError, messageOf } from '../../lib/model/errors.ts';

t.test('an error carries its code, its sentence and only the details that were given', async (t) => {
  const cause = new Error('ECONNREFUSED');
  const bare = new AppError('listen-failed', 'cannot listen');
  t.match(bare, { name: 'AppError', code: 'listen-failed', message: 'cannot listen' });
  t.same([bare.cause, bare.answer, bare.status], [undefined, undefined, undefined]);
  const full = new AppError('imds-refused', 'IMDS answered 0', {
    cause,
    status: 0,
    answer: { status: 400, body: '{}' },
  });
  t.equal(full.cause, cause);
  t.equal(full.status, 0);
  t.same(full.answer, { status: 400, body: '{}' });
});

t.test('tells our errors from others, and one code from another', async (t) => {
  const error: unknown = new AppError('exec-missing', 'no iptables');
  t.ok(isAppError(error));
  t.ok(isAppError(error, 'exec-missing'));
  t.notOk(isAppError(error, 'exec-timeout'));
  t.notOk(isAppError(new Error('exec-missing')));
  t.notOk(isAppError({ code: 'exec-missing' }), 'a look-alike');
  t.notOk(isAppError(undefined));
});

t.test('has one line for whatever was thrown', async (t) => {
  t.equal(messageOf(new Error('broken')), 'broken');
  t.equal(messageOf('text'), 'text');
  t.equal(messageOf(undefined), 'undefined');
  t.equal(messageOf(null), 'null');
});
