/**
 * A queue in which everybody who waits has a lane: lanes take turns, and within a lane the first comes first. The agent's
 * own lane ('') is served when no other waits.
 */
export class Lanes<W extends { readonly who: string }> {
  /** In the order of their turns; none is empty. */
  readonly #lanes = new Map<string, W[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  lengthOf(who: string): number {
    return this.#lanes.get(who)?.length ?? 0;
  }

  push(waiter: W): void {
    const lane = this.#lanes.get(waiter.who);
    if (lane) lane.push(waiter);
    else this.#lanes.set(waiter.who, [waiter]);
    this.#size += 1;
  }

  /** Takes out whoever's turn it is. */
  next(): W | undefined {
    for (const [who, lane] of this.#lanes) {
      if (who === '' && this.#lanes.size > 1) continue;
      const waiter = lane.shift();
      this.#lanes.delete(who);
      if (lane.length > 0) this.#lanes.set(who, lane);
      this.#size -= 1;
      return waiter;
    }
    return undefined;
  }

  /** Takes out one who leaves; the turn of the lane stays where it is. */
  remove(waiter: W): void {
    const lane = this.#lanes.get(waiter.who) ?? [];
    const at = lane.indexOf(waiter);
    if (at < 0) return;
    lane.splice(at, 1);
    if (lane.length === 0) this.#lanes.delete(waiter.who);
    this.#size -= 1;
  }

  all(): W[] {
    return [...this.#lanes.values()].flat();
  }
}
