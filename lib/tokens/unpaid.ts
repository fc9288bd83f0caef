import { AppError } from '../model/errors.ts';

/** Why a service principal gets no token, with the status and the `error` that the pod is answered with. */
const answers = {
  // As for an identity that is not there yet: every client that retries at all retries a 404.
  'credential-missing': [404, 'not_found'],
  'credential-unreadable': [503, 'temporarily_unavailable'],
  'credential-unusable': [400, 'invalid_request'],
  'entra-unreachable': [502, 'temporarily_unavailable'],
  'entra-timeout': [504, 'temporarily_unavailable'],
  'entra-busy': [429, 'too_many_requests'],
  'entra-refused': [502, 'temporarily_unavailable'],
  'entra-garbled': [502, 'temporarily_unavailable'],
} as const;

export type UnpaidCode = keyof typeof answers;

/** A failure of ours whose sentence the pod is given, too. */
export function unpaid(code: UnpaidCode, message: string, cause?: unknown): AppError {
  const [status, error] = answers[code];
  const body = JSON.stringify({ error, error_description: message });
  const answer = { status, body, ...(status === 429 && { retryAfter: '1' }) };
  return new AppError(code, message, { answer, cause });
}
