/** 110 pods with a few identities and resources each. */
const mostEntries = 4_096;
/** An application asks for a handful of resources; who names thousands pushes out his own tokens, and nobody else's. */
const mostOfHolder = 64;
/** An eighth of the agent's heap. */
const mostBytes = 32 * 1024 * 1024;

export interface Place {
  readonly key: string;
  /** Whom the entry counts for. */
  readonly holder: string;
}

interface Held<V> extends Place {
  readonly value: V;
  readonly bytes: number;
  /** Those of the holder, this one included. */
  readonly siblings: Set<Held<V>>;
  /** The count of uses when it was used last. */
  usedAt: number;
}

/**
 * Values in bounded room: in all, in bytes, and for each holder. What was used longest ago goes first. A use is a number set;
 * who is oldest is looked for when room is needed, which a call to Azure has gone before.
 */
export class CacheLru<V> {
  readonly #held = new Map<string, Held<V>>();
  readonly #holders = new Map<string, Set<Held<V>>>();
  readonly #onFull: () => void;
  #bytes = 0;
  #uses = 0;

  /** `onFull` is told of every value that goes for another. */
  constructor(onFull: () => void) {
    this.#onFull = onFull;
  }

  get size(): number {
    return this.#held.size;
  }

  /** The value, which is now the one that was used last. */
  use(key: string): V | undefined {
    const held = this.#held.get(key);
    if (!held) return undefined;
    held.usedAt = ++this.#uses;
    return held.value;
  }

  /** Takes the place of what has this key. `bytes`: all that is held for it. */
  put({ key, holder }: Place, value: V, bytes: number): void {
    this.delete(key);
    const siblings = this.#holders.get(holder) ?? new Set();
    this.#holders.set(holder, siblings);
    const held = { key, holder, value, bytes, siblings, usedAt: ++this.#uses };
    this.#held.set(key, held);
    siblings.add(held);
    this.#bytes += bytes;
    if (siblings.size > mostOfHolder) this.#evict(siblings.values());
    while (this.#held.size > mostEntries || this.#bytes > mostBytes) this.#evict(this.#held.values());
  }

  delete(key: string): void {
    const held = this.#held.get(key);
    if (!held) return;
    this.#held.delete(key);
    this.#bytes -= held.bytes;
    held.siblings.delete(held);
    if (held.siblings.size === 0) this.#holders.delete(held.holder);
  }

  /** The one of them that was used longest ago. */
  #evict(among: Iterable<Held<V>>): void {
    let oldest: Held<V> | undefined;
    for (const held of among) if (!oldest || held.usedAt < oldest.usedAt) oldest = held;
    if (!oldest) return;
    this.delete(oldest.key);
    this.#onFull();
  }
}
