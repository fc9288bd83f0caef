import { problemOf } from '../kube/problem.ts';
import { isAppError } from '../model/errors.ts';

/** The third answer beside yes and no: it could not be told, and why. */
export type Told<T> =
  | { readonly kind: 'told'; readonly value: T }
  | { readonly kind: 'untold'; readonly why: string };

/** What `read` gives, or one sentence about why it could not be read. Rejects for a fault of ours, and when `signal` aborts. */
export async function told<T>(
  resource: { readonly name: string; readonly path: string },
  read: Promise<T>,
): Promise<Told<T>> {
  try {
    return { kind: 'told', value: await read };
  } catch (error) {
    if (!isAppError(error)) throw error;
    return { kind: 'untold', why: problemOf(resource, error) };
  }
}
