import type { Clock, Timer } from '../../../lib/platform/clock.ts';
import { apiVersionOf, type Kind } from './kinds.ts';
import { parseRevision, snapshot } from './list.ts';
import type { Json, KubeObject } from './object.ts';
import { type Filter, parseSelectors } from './selectors.ts';
import * as status from './status.ts';
import type { Change, Store } from './store.ts';

/** A watch as it was asked for. */
export interface WatchRequest {
  readonly kind: Kind;
  readonly namespace?: string;
  readonly query: URLSearchParams;
  /** Between bookmarks, ms. The real server's is a minute. */
  readonly bookmarkMs: number;
}

/** Where the events go; `end` when the watch is over. */
export interface WatchSink {
  event(event: { type: string; object: Json }): void;
  end(): void;
}

/** The real server sends a last bookmark this long before a watch times out, ms. */
const farewellMs = 2000;
const defaultTimeoutMs = 30 * 60_000;

/**
 * Starts a watch and returns the call that ends it. Throws ApiError only for what the real server refuses before it
 * answers 200; a resourceVersion that is too old is an ERROR event.
 */
export function openWatch(store: Store, clock: Clock, request: WatchRequest, sink: WatchSink): () => void {
  const { kind, namespace, query } = request;
  const selected = parseSelectors(kind, query);
  const matches: Filter = (object) =>
    (namespace === undefined || object.metadata.namespace === namespace) && selected(object);
  const from = parseRevision(query.get('resourceVersion'));
  if (from > 0 && from < store.floor) {
    sink.event({ type: 'ERROR', object: tooOld(from, store.floor) });
    sink.end();
    return () => undefined;
  }
  const send = (change: Change): void => {
    const event = change.kind === kind && change.revision > from ? translate(change, matches) : undefined;
    if (event) sink.event(event);
  };
  if (from === 0) for (const object of snapshot(store, kind, matches)) sink.event({ type: 'ADDED', object });
  else store.since(from).forEach(send);
  const timers = new Timers(clock);
  let last = 0;
  const unsubscribe = store.subscribe((change) => {
    if (change.kind === kind) last = change.revision;
    send(change);
  });
  const stop = (): void => {
    unsubscribe();
    timers.cancel();
  };
  if (query.get('allowWatchBookmarks') === 'true') startBookmarks(request, timers, () => last, sink);
  timers.after(timeoutOf(query), () => {
    stop();
    sink.end();
  });
  return stop;
}

const timeoutOf = (query: URLSearchParams): number =>
  Number(query.get('timeoutSeconds') ?? 0) * 1000 || defaultTimeoutMs;

/** An object that comes into view is ADDED, one that leaves it is DELETED as it last was, with the new version. */
function translate(change: Change, matches: Filter): { type: string; object: KubeObject } | undefined {
  const { before, after, revision } = change;
  const was = before !== undefined && matches(before);
  if (after && matches(after)) return { type: was ? 'MODIFIED' : 'ADDED', object: after };
  if (!was) return undefined;
  const metadata = { ...before.metadata, resourceVersion: String(revision) };
  return { type: 'DELETED', object: { ...before, metadata } };
}

/**
 * Every `bookmarkMs`, and shortly before the end. As measured on the real server: the version is that of the last change
 * of this kind, selected or not, and nothing is sent as long as the kind has not changed since the watch began.
 */
function startBookmarks(
  request: WatchRequest,
  timers: Timers,
  lastChange: () => number,
  sink: WatchSink,
): void {
  const { kind, bookmarkMs, query } = request;
  const send = (): void => {
    if (lastChange() === 0) return;
    const metadata = { resourceVersion: String(lastChange()), creationTimestamp: null };
    sink.event({ type: 'BOOKMARK', object: { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata } });
  };
  const repeat = (): void => {
    send();
    timers.after(bookmarkMs, repeat);
  };
  timers.after(bookmarkMs, repeat);
  if (timeoutOf(query) > farewellMs) timers.after(timeoutOf(query) - farewellMs, send);
}

/** Timers that end together. */
class Timers {
  readonly #clock: Clock;
  readonly #pending = new Set<Timer>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  after(ms: number, run: () => void): void {
    const timer = this.#clock.after(ms, () => {
      this.#pending.delete(timer);
      run();
    });
    this.#pending.add(timer);
  }

  cancel(): void {
    for (const timer of this.#pending) timer.cancel();
  }
}

function tooOld(asked: number, oldest: number): Json {
  return status.expired(`too old resource version: ${asked} (${oldest})`).body as Json;
}
