/** Between two lines about the same thing, ms. */
const quietMs = 1_000;
/** More than a node has pods, each with every reason. */
const most = 1_024;

interface Told {
  readonly at: number;
  /** What has come since and was not told. */
  untold: number;
}

/** Makes one line of many for what happens over and over. */
export class Repeats {
  readonly #told = new Map<string, Told>();

  /** How many times a line written at `nowMs` stands for; 0: write none, the next one will count this. */
  told(what: string, nowMs: number): number {
    const last = this.#told.get(what);
    if (last && nowMs - last.at < quietMs) {
      last.untold += 1;
      return 0;
    }
    if (this.#told.size >= most) this.#told.clear();
    this.#told.set(what, { at: nowMs, untold: 0 });
    return 1 + (last?.untold ?? 0);
  }
}
