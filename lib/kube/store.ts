import { isDeepStrictEqual } from 'node:util';
import type { Sink } from './resource.ts';

interface Named {
  readonly namespace?: string;
  readonly name: string;
}

/**
 * All trimmed objects of a kind by `namespace/name` (or `name`). Tells of a change only where the trimmed object differs: most
 * of what a watch brings of pods and nodes is status that nobody here reads.
 */
export class Store<T extends Named> implements Sink<T> {
  readonly #onChange: () => void;
  #all = new Map<string, T>();

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get size(): number {
    return this.#all.size;
  }

  get(key: string): T | undefined {
    return this.#all.get(key);
  }

  /** In no order. */
  values(): Iterable<T> {
    return this.#all.values();
  }

  replace(items: readonly T[]): void {
    const before = this.#all;
    this.#all = new Map(items.map((item) => [keyOf(item), this.#kept(item, before)]));
    this.#onChange();
  }

  upsert(item: T): void {
    const key = keyOf(item);
    const kept = this.#kept(item, this.#all);
    if (kept === this.#all.get(key)) return;
    this.#all.set(key, kept);
    this.#onChange();
  }

  remove(key: string): void {
    if (this.#all.delete(key)) this.#onChange();
  }

  /** The old object where the new one says the same, so that a list that is read again costs nothing for long. */
  #kept(item: T, among: ReadonlyMap<string, T>): T {
    const known = among.get(keyOf(item));
    return known !== undefined && isDeepStrictEqual(known, item) ? known : item;
  }
}

function keyOf({ namespace, name }: Named): string {
  return namespace ? `${namespace}/${name}` : name;
}
