import type { Connection } from '../kube/connection.ts';
import { listAll } from '../kube/list.ts';
import { problemOf } from '../kube/problem.ts';
import type { Resource } from '../kube/resource.ts';
import { type ErrorCode, isAppError } from '../model/errors.ts';

/** The third answer beside yes and no: it could not be told, and why. */
export type Told<T> = { readonly kind: 'told'; readonly value: T } | Untold;

export interface Untold {
  readonly kind: 'untold';
  readonly why: string;
  /** Of the error that it comes from, if it comes from one. */
  readonly code?: ErrorCode;
}

/** What `read` gives, or one sentence about why it could not be read. Rejects for a fault of ours, and when `signal` aborts. */
export async function told<T>(
  resource: { readonly name: string; readonly path: string },
  read: Promise<T>,
): Promise<Told<T>> {
  try {
    return { kind: 'told', value: await read };
  } catch (error) {
    if (!isAppError(error)) throw error;
    return { kind: 'untold', why: problemOf(resource, error), code: error.code };
  }
}

/** All objects of a resource. */
export function toldList<T>(
  connection: Connection,
  resource: Resource<T>,
  signal: AbortSignal,
): Promise<Told<readonly T[]>> {
  return told(
    resource,
    listAll(connection, resource, signal).then(({ items }) => items),
  );
}

/** What was read; nothing where it could not be. For what only adds to an answer. */
export function orNone<T>(book: Told<readonly T[]>): readonly T[] {
  return book.kind === 'told' ? book.value : [];
}

/** Why these could not be read, each reason once. */
export function untoldOf(...tolds: readonly Told<unknown>[]): readonly string[] {
  return [...new Set(tolds.flatMap((told) => (told.kind === 'untold' ? [told.why] : [])))];
}
