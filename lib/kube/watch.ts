import { AppError, isAppError } from '../model/errors.ts';
import type { Connection } from './connection.ts';
import { LineDecoder } from './lines.ts';
import { isRecord, type Resource } from './resource.ts';

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: unknown;
}

/** Told while a watch runs. What they throw ends the watch. */
export interface WatchListener {
  /** The API server has accepted the watch. */
  opened(): void;
  /** Bytes have come, of whatever kind. */
  heard(): void;
  event(event: WatchEvent): void;
}

export interface WatchOptions {
  readonly resourceVersion: string;
  /** When the API server is to end the watch. */
  readonly timeoutSeconds: number;
  /** How long the stream may be silent, bookmarks included. */
  readonly idleMs: number;
  readonly signal: AbortSignal;
}

/**
 * `closed`: at a time of the server's choosing. `silent`: by us, after `idleMs` without a byte: the connection is dead, or
 * the server has no bookmark to send (before 1.21, for a kind that has not changed since the server's start). After both,
 * a watch goes on from the last event. `refused`: by an ERROR event.
 */
export type WatchEnd =
  | { readonly kind: 'closed' | 'silent' }
  | { readonly kind: 'refused'; readonly status: number };

/** The largest object that etcd takes is 1.5 MB. */
const maxLineBytes = 8 * 1024 * 1024;

const types: ReadonlySet<unknown> = new Set<WatchEvent['type']>(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']);

/**
 * One watch request until it ends. Leaves at an ERROR event, whether or not the server closes. Throws as
 * `Connection.request`, and AppError `kube-garbled` or `kube-too-large` for lines that are not events.
 */
export async function watch<T>(
  connection: Connection,
  resource: Resource<T>,
  options: WatchOptions,
  listener: WatchListener,
): Promise<WatchEnd> {
  const { resourceVersion, timeoutSeconds, idleMs, signal } = options;
  const query = {
    ...resource.query,
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion,
    timeoutSeconds: String(timeoutSeconds),
  };
  const { body } = await connection.request(resource.path, { query, signal, bodyTimeoutMs: idleMs });
  listener.opened();
  try {
    return await read(body, resource.name, listener);
  } catch (error) {
    if (isAppError(error, 'kube-timeout')) return { kind: 'silent' };
    throw error;
  }
}

async function read(
  body: AsyncIterable<Uint8Array>,
  name: string,
  listener: WatchListener,
): Promise<WatchEnd> {
  const lines = new LineDecoder(maxLineBytes);
  for await (const chunk of body) {
    listener.heard();
    for (const line of lines.push(chunk)) {
      if (line === '') continue;
      const event = readEvent(line, name);
      if ('refused' in event) return { kind: 'refused', status: event.refused };
      listener.event(event);
    }
  }
  return { kind: 'closed' };
}

function readEvent(line: string, name: string): WatchEvent | { readonly refused: number } {
  const raw = parsed(line);
  if (isRecord(raw) && isRecord(raw.object)) {
    const { type, object } = raw;
    if (type === 'ERROR') return { refused: typeof object.code === 'number' ? object.code : 500 };
    if (isEventType(type)) return { type, object };
  }
  throw new AppError('kube-garbled', `the API server sent a line that is not an event of ${name}`);
}

function isEventType(type: unknown): type is WatchEvent['type'] {
  return types.has(type);
}

/** No cause: a SyntaxError quotes the text. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
