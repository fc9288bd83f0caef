/**
 * How long something has stood still, by our own clock alone: two machines need not agree on the hour. It counts from when we
 * first saw it as it is.
 */
export class Observed {
  #seen: string | undefined;
  #since = 0;

  /** For how long it has looked like this, ms. `now`: monotonic. */
  stillFor(look: string, now: number): number {
    if (look !== this.#seen) {
      this.#seen = look;
      this.#since = now;
    }
    return now - this.#since;
  }
}
