import type { Connection } from '../kube/connection.ts';
import { answerIn } from '../kube/get.ts';
import { type Listing, listAll } from '../kube/list.ts';
import { problemOf } from '../kube/problem.ts';
import type { Resource } from '../kube/resource.ts';
import { AppError, isAppError } from '../model/errors.ts';

type Found<T> = Pick<Listing<T>, 'items' | 'dropped'>;

/** As `listAll`; none where the kind is not installed, as AzureAssignedIdentities are not in managed mode. */
export async function listIfInstalled<T>(
  connection: Connection,
  resource: Resource<T>,
  signal: AbortSignal,
): Promise<Found<T>> {
  try {
    return await listAll(connection, resource, signal);
  } catch (error) {
    if (answerIn(error).kind === 'absent') return { items: [], dropped: [] };
    throw error;
  }
}

/** What `list` finds. Throws AppError with a sentence for people: which right is missing, or that a CRD is. */
export async function itemsOf<T>(
  connection: Connection,
  resource: Resource<T>,
  { signal, list = listAll }: { readonly signal: AbortSignal; readonly list?: typeof listIfInstalled },
): Promise<readonly T[]> {
  try {
    return (await list(connection, resource, signal)).items;
  } catch (error) {
    if (!isAppError(error)) throw error;
    const { code, status } = error;
    throw new AppError(code, problemOf(resource, error), {
      cause: error,
      ...(status !== undefined && { status }),
    });
  }
}

/** Its objects of that namespace; of all where it is undefined. */
export function inNamespace<T>(resource: Resource<T>, namespace: string | undefined): Resource<T> {
  if (namespace === undefined) return resource;
  const place = `/namespaces/${encodeURIComponent(namespace)}/${resource.name}`;
  return { ...resource, path: resource.path.replace(/\/[^/]+$/, place) };
}
