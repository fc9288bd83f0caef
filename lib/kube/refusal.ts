import { AppError, isAppError } from '../model/errors.ts';
import { clean } from '../model/text.ts';

interface Answer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** A Status object is under 1 kB; what a proxy sends instead need not be read whole. */
const maxBytes = 16 * 1024;

/**
 * AppError `kube-refused` for an answer with an error status. `answer.body` is the API server's own sentence, cut to 200
 * characters and free of control characters ('' if it sent none); `answer.retryAfter` is the header as it came.
 */
export async function refusal(
  path: string,
  answer: Answer,
  body: AsyncIterable<Uint8Array>,
): Promise<AppError> {
  const status = answer.statusCode;
  const retryAfter = answer.headers['retry-after'];
  // A body that breaks off takes nothing from the status.
  const text = await textOf(body).catch(() => '');
  const details = { status, body: sentenceOf(text) };
  return new AppError('kube-refused', `the API server answered ${status} to ${path}`, {
    status,
    answer: typeof retryAfter === 'string' ? { ...details, retryAfter } : details,
  });
}

/**
 * What a failed request means: ours as it is, the reason of the caller or the deadline that ended it, else AppError
 * `kube-unreachable`.
 */
export function unreachable(url: URL, signal: AbortSignal, error: unknown): unknown {
  if (isAppError(error)) return error;
  if (signal.aborted) return signal.reason;
  const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
  return new AppError('kube-unreachable', `the API server ${url.host} cannot be reached${code}`, {
    cause: error,
  });
}

/** The `message` of a Status object. */
function sentenceOf(text: string): string {
  try {
    const status: unknown = JSON.parse(text);
    if (typeof status === 'object' && status !== null && 'message' in status)
      return typeof status.message === 'string' ? clean(status.message) : '';
  } catch {
    // A proxy's page, or the router's plain "404 page not found".
  }
  return '';
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size > maxBytes) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}
