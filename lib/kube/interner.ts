/**
 * Gives equal strings, and other equal values, as one and the same, so that 100,000 pods keep the name of each node and the labels
 * of each workload once. Forgets what has not come up for long, since the names of workloads come and go for ever; that costs
 * memory alone, for equal values are equal whether they are shared or not.
 */
export class Interner {
  readonly #most: number;
  #young = new Map<string, unknown>();
  #old = new Map<string, unknown>();

  /** `most`: so many values are remembered for sure, and twice as many at most. */
  constructor(most = 50_000) {
    this.#most = most;
  }

  text(value: string): string {
    return this.shared('text', value, () => value);
  }

  /** Frozen, and without a prototype: people choose the keys. */
  labels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    const entries = Object.entries(labels);
    return this.shared('labels', JSON.stringify(entries), () => {
      const copy: Record<string, string> = Object.create(null);
      for (const [key, value] of entries) copy[this.text(key)] = this.text(value);
      return Object.freeze(copy);
    });
  }

  /** The value that was first made for that kind of thing and that key. */
  shared<T>(kind: 'text' | 'labels' | 'identity' | 'binding', key: string, make: () => T): T {
    const tagged = kind === 'text' ? key : `${kind}\n${key}`;
    const young = this.#young.get(tagged);
    if (young !== undefined) return young as T;
    const value = (this.#old.get(tagged) ?? make()) as T;
    if (this.#young.size >= this.#most) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(tagged, value);
    return value;
  }
}
