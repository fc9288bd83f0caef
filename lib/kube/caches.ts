import type { Connection } from './connection.ts';
import { Reflector, type ReflectorOptions } from './reflector.ts';
import type { Resource, Sink } from './resource.ts';

/** Longer than the longest silence of a healthy watch (100 s). */
const staleMs = 120_000;

/** The reflectors of a program as one thing: are we synced, are we fresh, and if not, why? */
export class Caches {
  readonly #options: ReflectorOptions;
  readonly #reflectors = new Map<string, Reflector<unknown>>();
  #allSynced: Promise<void> | undefined;
  #synced = false;

  constructor(options: ReflectorOptions & { readonly connection: Connection }) {
    this.#options = options;
  }

  /** Before `run`. */
  add<T>(resource: Resource<T>, sink: Sink<T>): void {
    this.#reflectors.set(resource.name, new Reflector(resource, sink, this.#options) as Reflector<unknown>);
  }

  /** Runs every reflector until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#reflectors.values()].map((reflector) => reflector.run(signal)));
  }

  /** Every cache has been filled once. Stays true. */
  get synced(): boolean {
    return this.#synced;
  }

  /** Resolves when `synced` becomes true. */
  whenSynced(): Promise<void> {
    this.#allSynced ??= Promise.all(
      [...this.#reflectors.values()].map((reflector) => reflector.synced()),
    ).then(() => {
      this.#synced = true;
    });
    return this.#allSynced;
  }

  /** The watch of this resource was heard lately. */
  isFresh(name: string): boolean {
    const { lastHeardMs } = this.#reflectors.get(name)?.freshness() ?? {};
    return lastHeardMs !== undefined && lastHeardMs < staleMs;
  }

  /** One sentence per resource that is not synced or not fresh; none when all is well. */
  problems(): string[] {
    return [...this.#reflectors].flatMap(([name, reflector]) => {
      const { synced, lastHeardMs = 0, problem } = reflector.freshness();
      if (!synced) return [problem ?? `${name}: not read yet`];
      return lastHeardMs < staleMs
        ? []
        : [problem ?? `${name}: nothing heard for ${Math.round(lastHeardMs / 1000)} s`];
    });
  }
}
