interface Named {
  readonly namespace: string;
  readonly name: string;
}

/** Objects by `namespace/name`, and by places that questions are asked at. */
export class Shelf<T extends Named> {
  readonly #placesOf: (item: T) => readonly string[];
  readonly #all = new Map<string, T>();
  readonly #byPlace = new Map<string, Map<string, T>>();

  constructor(placesOf: (item: T) => readonly string[]) {
    this.#placesOf = placesOf;
  }

  upsert(item: T): void {
    const key = `${item.namespace}/${item.name}`;
    this.remove(key);
    this.#all.set(key, item);
    for (const place of this.#placesOf(item)) {
      const same = this.#byPlace.get(place) ?? new Map<string, T>();
      this.#byPlace.set(place, same.set(key, item));
    }
  }

  remove(key: string): void {
    const known = this.#all.get(key);
    if (!known) return;
    this.#all.delete(key);
    for (const place of this.#placesOf(known)) {
      const same = this.#byPlace.get(place);
      same?.delete(key);
      if (same?.size === 0) this.#byPlace.delete(place);
    }
  }

  replace(items: Iterable<T>): void {
    this.#all.clear();
    this.#byPlace.clear();
    for (const item of items) this.upsert(item);
  }

  get(key: string): T | undefined {
    return this.#all.get(key);
  }

  /** In no order. */
  at(place: string): Iterable<T> {
    return this.#byPlace.get(place)?.values() ?? [];
  }
}
