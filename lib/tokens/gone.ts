import { type AppError, isAppError } from '../model/errors.ts';

/**
 * The answers that mean that there is nothing to renew: the identity itself is gone, so that its last token must not live on
 * in a cache. Anything else (404 and 410 while IMDS updates, 429, 5xx, no answer, a resource that the directory does not know)
 * says nothing of the identity, and its token serves on. Descriptions are matched from their start, since a client chose
 * the resource that IMDS repeats further on.
 */
const listed: readonly { status: number; error: string; description: RegExp; why: string }[] = [
  {
    status: 400,
    error: 'invalid_request',
    description: /^Identity not found/i,
    why: 'it is no longer assigned to this machine',
  },
  {
    status: 400,
    error: 'unauthorized_client',
    description: /^AADSTS700016\b/,
    why: 'its tenant no longer has it',
  },
  {
    status: 400,
    error: 'unauthorized_client',
    description: /^AADSTS7000112\b/,
    why: 'its tenant has disabled it',
  },
];

/** Why the identity of this failed fetch is gone; undefined when it may well be there. */
export function whyGone(error: unknown): string | undefined {
  if (!isAppError(error, 'imds-refused') && !isAppError(error, 'entra-refused')) return undefined;
  const { error: code, description } = wordsOf(error);
  return listed.find(
    (one) => one.status === error.status && one.error === code && one.description.test(description),
  )?.why;
}

function wordsOf({ answer }: AppError): { error: unknown; description: string } {
  // A source passes nothing on that is not a JSON object.
  const { error, error_description } = JSON.parse(answer?.body ?? '{}') as Record<string, unknown>;
  return { error, description: typeof error_description === 'string' ? error_description : '' };
}
