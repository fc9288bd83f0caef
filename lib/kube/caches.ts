import { Gate } from '../platform/gate.ts';
import { Reflector, type ReflectorOptions } from './reflector.ts';
import type { Resource, Sink } from './resource.ts';

/** Longer than the longest silence of a healthy watch (100 s). */
const staleMs = 120_000;
/** Without a watch, this much later it is no mere reconnecting any more. */
const lostMs = 30_000;

export interface CachesOptions extends ReflectorOptions {
  /** Something that a sink holds has changed. */
  readonly onChange: () => void;
}

/** The reflectors of a program as one thing: are we synced, are we fresh, and if not, why? */
export class Caches {
  readonly #options: CachesOptions;
  readonly #reflectors = new Map<string, Reflector<unknown>>();
  readonly #gate: Gate;
  #synced = false;

  constructor(options: CachesOptions) {
    this.#options = options;
    this.#gate = new Gate(options.connection.clock);
  }

  /** Before `run`. */
  add<T>(resource: Resource<T>, sink: Sink<T>): void {
    const reflector = new Reflector(resource, telling(sink, this.#options.onChange), this.#options);
    this.#reflectors.set(resource.name, reflector as Reflector<unknown>);
  }

  /** Runs every reflector until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const reflectors = [...this.#reflectors.values()];
    const synced = Promise.all(reflectors.map((reflector) => reflector.synced()));
    void synced.then(() => this.#gate.open());
    await Promise.all(reflectors.map((reflector) => reflector.run(signal)));
  }

  /** Every cache has been filled once. Stays true. */
  get synced(): boolean {
    this.#synced ||= [...this.#reflectors.values()].every((reflector) => reflector.freshness().synced);
    return this.#synced;
  }

  /** Waits for `synced`, at most `ms`, and no longer than `signal`. */
  async whenSynced(ms: number, signal: AbortSignal): Promise<boolean> {
    return this.synced || this.#gate.wait(ms, signal);
  }

  /** The watch of this resource is open and was heard lately; one that follows a silent one, not before it has spoken. */
  isFresh(name: string): boolean {
    const { lastHeardMs, watching, silent } = this.#reflectors.get(name)?.freshness() ?? {};
    return watching === true && !silent && lastHeardMs !== undefined && lastHeardMs < staleMs;
  }

  /** How long ago each watch was last heard, ms, by resource; nothing for one that was never heard. */
  ages(): [string, number][] {
    return [...this.#reflectors].flatMap(([name, reflector]): [string, number][] => {
      const { lastHeardMs } = reflector.freshness();
      return lastHeardMs === undefined ? [] : [[name, lastHeardMs]];
    });
  }

  /** One sentence per resource that is not synced or not fresh; none when all is well. */
  problems(): string[] {
    return [...this.#reflectors].flatMap(([name, reflector]) => {
      const { synced, lastHeardMs = 0, watching, problem } = reflector.freshness();
      if (!synced) return [problem ?? `${name}: not read yet`];
      if (lastHeardMs < (watching ? staleMs : lostMs)) return [];
      return [problem ?? `${name}: nothing heard for ${Math.round(lastHeardMs / 1000)} s`];
    });
  }
}

/** The same sink, which says so when it has taken something in, or has failed halfway. */
function telling<T>(sink: Sink<T>, onChange: () => void): Sink<T> {
  const told = (take: () => void): void => {
    try {
      take();
    } finally {
      onChange();
    }
  };
  return {
    replace: (items) => told(() => sink.replace(items)),
    upsert: (item) => told(() => sink.upsert(item)),
    remove: (key) => told(() => sink.remove(key)),
  };
}
