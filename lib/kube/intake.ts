import { AppError, messageOf } from '../model/errors.ts';
import type { Logger } from '../platform/log.ts';
import type { Listing } from './list.ts';
import { objectKey, type Resource, resourceVersionOf, type Sink, trim } from './resource.ts';
import type { WatchEvent } from './watch.ts';

/** For counters. `dropped`: an object with wrong types; `sink-failed`: the sink threw. */
export type IntakeEvent = 'dropped' | 'sink-failed';

const keysRemembered = 100;

/** Hands to a sink what lists and watches bring, and keeps it from harming them. */
export class Intake<T> {
  readonly #resource: Resource<T>;
  readonly #sink: Sink<T>;
  readonly #log: Logger;
  readonly #count: (event: IntakeEvent) => void;
  readonly #told = new Set<string>();
  #behind = false;

  constructor(resource: Resource<T>, sink: Sink<T>, log: Logger, count: (event: IntakeEvent) => void) {
    this.#resource = resource;
    this.#sink = sink;
    this.#log = log;
    this.#count = count;
  }

  /** The sink threw, so it may have missed something that only a list can make good. */
  get behind(): boolean {
    return this.#behind;
  }

  /** Throws when the sink throws: there is nothing to watch on from. */
  replace(listing: Listing<T>): void {
    for (const key of listing.dropped) this.#drop(key);
    if (!this.#guarded(() => this.#sink.replace(listing.items))) throw new Error('the sink refused a list');
    this.#behind = false;
  }

  /**
   * Takes in one event; returns the resourceVersion to go on from, if it tells one. An object that can no longer be parsed
   * counts as removed, so that nothing is decided by what it was. Throws AppError `kube-garbled` for a nameless object.
   */
  apply(event: WatchEvent): string | undefined {
    if (event.type !== 'BOOKMARK') this.#change(event);
    return resourceVersionOf(event.object);
  }

  #change({ type, object }: WatchEvent): void {
    const key = objectKey(object);
    if (key === undefined)
      throw new AppError(
        'kube-garbled',
        `the API server sent an event of ${this.#resource.name} without a name`,
      );
    const item = type === 'DELETED' ? undefined : trim(this.#resource, object);
    if (item === undefined && type !== 'DELETED') this.#drop(key);
    this.#guarded(() => (item === undefined ? this.#sink.remove(key) : this.#sink.upsert(item)));
  }

  #guarded(hand: () => void): boolean {
    try {
      hand();
      return true;
    } catch (error) {
      this.#count('sink-failed');
      // Once until the next list, for it may throw at every event.
      if (!this.#behind)
        this.#log.error(
          { resource: this.#resource.name, error: messageOf(error) },
          'kubernetes event not taken in',
        );
      this.#behind = true;
      return false;
    }
  }

  #drop(key: string): void {
    this.#count('dropped');
    if (this.#told.has(key) || this.#told.size === keysRemembered) return;
    this.#told.add(key);
    this.#log.warn(
      { resource: this.#resource.name, object: key },
      'kubernetes object ignored: fields of wrong types',
    );
  }
}
