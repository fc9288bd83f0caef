import { AppError, isAppError } from '../model/errors.ts';
import type { Connection } from './connection.ts';
import { Deadline } from './deadline.ts';
import { isRecord, metadataOf, objectKey, type Resource, resourceVersionOf, trim } from './resource.ts';

export interface Listing<T> {
  readonly items: readonly T[];
  /** Where a watch takes over. */
  readonly resourceVersion: string;
  /** Keys of objects that could not be parsed ('' without a name). */
  readonly dropped: readonly string[];
}

const pageLimit = 500;
/** 500 ordinary pods are 5 MB; a single object is at most 1.5 MB in etcd, and somewhat more as JSON. */
const pageBytes = 16 * 1024 * 1024;
/** A `continue` token expires when the API server compacts, every 5 minutes. */
const attempts = 3;

/**
 * Everything that exists, as of one resourceVersion, read from etcd's present and not from a cache (an older view could
 * bring a removed binding back for a while). Objects are trimmed page by page. Throws as `Connection.json`, and AppError
 * `kube-garbled` for an answer that is not a list.
 */
export async function listAll<T>(
  connection: Connection,
  resource: Resource<T>,
  signal?: AbortSignal,
): Promise<Listing<T>> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await listPages(connection, resource, signal);
    } catch (error) {
      if (attempt === attempts || !isExpired(error)) throw error;
    }
  }
}

/** One list with a deadline of its own (AppError `kube-timeout`), for a question that cannot wait for a watch. */
export async function listOnce<T>(
  connection: Connection,
  resource: Resource<T>,
  options: { readonly deadlineMs: number; readonly signal?: AbortSignal },
): Promise<readonly T[]> {
  const { deadlineMs } = options;
  const deadline = new Deadline(connection.clock, options.signal);
  deadline.arm(
    deadlineMs,
    () => new AppError('kube-timeout', `no list of ${resource.name} within ${deadlineMs} ms`),
  );
  try {
    return (await listAll(connection, resource, deadline.signal)).items;
  } finally {
    deadline.end();
  }
}

/** The API server no longer knows that resourceVersion or `continue` token. */
function isExpired(error: unknown): boolean {
  return isAppError(error, 'kube-refused') && error.status === 410;
}

async function listPages<T>(
  connection: Connection,
  resource: Resource<T>,
  signal: AbortSignal | undefined,
): Promise<Listing<T>> {
  const items: T[] = [];
  const dropped: string[] = [];
  let limit = pageLimit;
  let cursor = '';
  for (;;) {
    const page = await readPage(connection, resource, { limit, cursor, signal });
    if (page === 'too-large') {
      // Whoever may create pods can fill them with annotations; that must not blind the agent of their node.
      limit = Math.ceil(limit / 5);
      continue;
    }
    for (const raw of page.items) {
      const item = trim(resource, raw);
      if (item === undefined) dropped.push(objectKey(raw) ?? '');
      else items.push(item);
    }
    if (page.next === '') return { items, resourceVersion: page.resourceVersion, dropped };
    cursor = page.next;
  }
}

interface Page {
  readonly items: readonly unknown[];
  readonly resourceVersion: string;
  readonly next: string;
}

async function readPage<T>(
  connection: Connection,
  resource: Resource<T>,
  at: { readonly limit: number; readonly cursor: string; readonly signal: AbortSignal | undefined },
): Promise<Page | 'too-large'> {
  const query = { ...resource.query, limit: String(at.limit), ...(at.cursor && { continue: at.cursor }) };
  try {
    const signal = at.signal ? { signal: at.signal } : {};
    return pageOf(
      await connection.json(resource.path, { query, maxBytes: pageBytes, ...signal }),
      resource.name,
    );
  } catch (error) {
    if (isAppError(error, 'kube-too-large') && at.limit > 1) return 'too-large';
    throw error;
  }
}

function pageOf(raw: unknown, name: string): Page {
  const resourceVersion = resourceVersionOf(raw);
  // Go writes a list without items as null.
  const items = isRecord(raw) ? (raw.items ?? []) : undefined;
  const next = metadataOf(raw).continue ?? '';
  if (resourceVersion === undefined || !Array.isArray(items) || typeof next !== 'string') {
    throw new AppError('kube-garbled', `the API server's answer is not a list of ${name}`);
  }
  return { items, resourceVersion, next };
}
