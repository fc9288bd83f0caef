import { isAppError, messageOf } from '../model/errors.ts';
import type { Connection } from './connection.ts';

/**
 * What the API server says of one object. `refused` and `absent` are answers; `silent` is everything that tells nothing of
 * the object: nobody there, too late, overloaded, garbled.
 */
export type Answer =
  | { readonly kind: 'found'; readonly raw: unknown }
  | { readonly kind: 'absent' }
  | { readonly kind: 'refused'; readonly status: 401 | 403 }
  | { readonly kind: 'silent'; readonly why: string };

/** A node lists its images, and any object can be filled with annotations; 1.5 MB is what etcd takes. */
const maxBytes = 4 * 1024 * 1024;

/** One GET, ended by `signal`. Rejects only for a fault of ours. */
export async function getObject(connection: Connection, path: string, signal: AbortSignal): Promise<Answer> {
  try {
    return { kind: 'found', raw: await connection.json(path, { maxBytes, signal }) };
  } catch (error) {
    return answerIn(error);
  }
}

/** What a failed request tells. Throws what is no AppError. */
export function answerIn(error: unknown): Exclude<Answer, { kind: 'found' }> {
  if (!isAppError(error)) throw error;
  const { code, status } = error;
  if (code !== 'kube-refused') return { kind: 'silent', why: messageOf(error) };
  if (status === 404) return { kind: 'absent' };
  return status === 401 || status === 403
    ? { kind: 'refused', status }
    : { kind: 'silent', why: messageOf(error) };
}
