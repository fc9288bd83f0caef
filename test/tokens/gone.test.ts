import t from 'tap';
import { AppError } from '../../lib/model/errors.ts';
import { whyGone } from '../../lib/tokens/gone.ts';

function refusal(
  status: number,
  error: string,
  error_description: unknown,
  code: 'imds-refused' | 'entra-refused' = 'imds-refused',
): AppError {
  const body = JSON.stringify({ error, error_description });
  return new AppError(code, 'why', { status, answer: { status, body } });
}

t.test('takes only answers about the identity itself for its end', async (t) => {
  t.equal(
    whyGone(refusal(400, 'invalid_request', 'Identity not found')),
    'it is no longer assigned to this machine',
  );
  t.equal(
    whyGone(refusal(400, 'unauthorized_client', 'AADSTS700016: Application was not found')),
    'its tenant no longer has it',
  );
  t.equal(
    whyGone(refusal(400, 'unauthorized_client', 'AADSTS7000112: Application is disabled', 'entra-refused')),
    'its tenant has disabled it',
  );
});

t.test('takes nothing else for it', async (t) => {
  const others: unknown[] = [
    ...[401, 403, 404, 410, 429, 500, 503].map((status) =>
      refusal(status, 'invalid_request', 'Identity not found'),
    ),
    refusal(400, 'invalid_resource', 'AADSTS500011: The resource was not found'),
    refusal(400, 'invalid_request', "The resource 'Identity not found' is not known"),
    refusal(400, 'invalid_resource', 'Identity not found'),
    refusal(400, 'unauthorized_client', 'AADSTS7000112345: something else'),
    refusal(400, 'invalid_request', undefined),
    refusal(400, 'invalid_request', ['Identity not found']),
    new AppError('imds-refused', 'IMDS answered 400', { status: 400 }),
    new AppError('imds-unreachable', 'Identity not found'),
    new AppError('imds-busy', 'Identity not found'),
    new Error('Identity not found'),
    undefined,
  ];
  for (const [i, other] of others.entries()) t.equal(whyGone(other), undefined, `case ${i}`);
});
