import { AppError, isAppError, messageOf } from '../model/errors.ts';
import type { Logger } from '../platform/log.ts';
import { backoffMs, retryAfterMs } from './backoff.ts';
import type { Connection } from './connection.ts';
import { Intake, type IntakeEvent } from './intake.ts';
import { listAll } from './list.ts';
import { problemOf } from './problem.ts';
import type { Resource, Sink } from './resource.ts';
import { type WatchListener, watch } from './watch.ts';

/** For counters. `failed`: a list or a watch ended in an error. */
export type ReflectorEvent = IntakeEvent | 'listed' | 'watching' | 'failed';

export interface ReflectorOptions {
  readonly connection: Connection;
  /** 0 to 1, as Math.random. */
  readonly random: () => number;
  readonly log: Logger;
  readonly onEvent?: (event: ReflectorEvent) => void;
  /** What ended a list or a watch, each time. */
  readonly onFailure?: (error: unknown) => void;
}

export interface Freshness {
  /** A whole list has reached the sink. Stays true through later trouble. */
  readonly synced: boolean;
  /** Age of the last sign of a list or watch that works, ms; undefined before the first. 100 s at most while all is well. */
  readonly lastHeardMs: number | undefined;
  /** A watch is open: the API server would tell us of changes. */
  readonly watching: boolean;
  /** The last watch ended without a word, and its successor has said none either: what it would tell may be held up. */
  readonly silent: boolean;
  /** One sentence while there is trouble. */
  readonly problem?: string;
}

/** A watch that lived this long was healthy: a failure after it counts as the first. */
const healthyMs = 30_000;
/** The API server sends a bookmark after 60 to 75 s without events; when none comes, the connection may be dead. */
const idleMs = 90_000;
const idleJitterMs = 10_000;

/** Keeps a sink equal to what the API server holds: lists, watches, and starts again after whatever goes wrong. */
export class Reflector<T> {
  readonly #resource: Resource<T>;
  readonly #intake: Intake<T>;
  readonly #options: ReflectorOptions;
  readonly #firstSync = Promise.withResolvers<void>();
  #running = false;
  #synced = false;
  #problem: string | undefined;
  /** Failed rounds in a row. */
  #failures = 0;
  #heardAt: number | undefined;
  #watchingSince: number | undefined;
  #silent = false;
  /** Undefined when only a list can tell what exists. */
  #resourceVersion: string | undefined;

  constructor(resource: Resource<T>, sink: Sink<T>, options: ReflectorOptions) {
    this.#resource = resource;
    this.#options = options;
    this.#intake = new Intake(resource, sink, options.log, (event) => this.#count(event));
  }

  /** Runs until `signal` aborts; resolves then, with nothing left open. No answer of the API server ends it. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#running) throw new Error(`the reflector of ${this.#resource.name} runs already`);
    this.#running = true;
    try {
      while (!signal.aborted) {
        const pause = await this.#round(signal);
        if (pause > 0) await this.#options.connection.clock.sleep(pause, signal);
      }
    } finally {
      this.#running = false;
    }
  }

  freshness(): Freshness {
    return {
      synced: this.#synced,
      lastHeardMs: this.#heardAt === undefined ? undefined : this.#now() - this.#heardAt,
      watching: this.#watchingSince !== undefined,
      silent: this.#silent,
      ...(this.#problem !== undefined && { problem: this.#problem }),
    };
  }

  /** Resolves once the first whole list has reached the sink. */
  synced(): Promise<void> {
    return this.#firstSync.promise;
  }

  /** One watch, after one list where needed. Returns the pause before the next round, ms. */
  async #round(signal: AbortSignal): Promise<number> {
    this.#watchingSince = undefined;
    try {
      if (this.#resourceVersion === undefined) await this.#list(signal);
      await this.#watch(signal);
      return this.#pauseAfter(undefined);
    } catch (error) {
      if (signal.aborted) return 0;
      this.#report(error);
      if (needsList(error)) this.#resourceVersion = undefined;
      return this.#pauseAfter(error);
    } finally {
      this.#watchingSince = undefined;
      if (this.#intake.behind) this.#resourceVersion = undefined;
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const listing = await listAll(this.#options.connection, this.#resource, signal);
    signal.throwIfAborted();
    this.#heardAt = this.#now();
    this.#silent = false;
    this.#intake.replace(listing);
    this.#resourceVersion = listing.resourceVersion;
    this.#synced = true;
    this.#count('listed');
    const objects = listing.items.length;
    this.#options.log.debug({ resource: this.#resource.name, objects }, 'kubernetes list read');
    this.#firstSync.resolve();
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { connection, random } = this.#options;
    const end = await watch(
      connection,
      this.#resource,
      {
        resourceVersion: this.#resourceVersion ?? '',
        // Spread, so that the nodes of a cluster do not all come back at once.
        timeoutSeconds: Math.floor(290 + 61 * random()),
        idleMs: idleMs + idleJitterMs * random(),
        signal,
      },
      this.#listener(),
    );
    if (end.kind === 'silent') this.#silent = true;
    if (end.kind !== 'refused') return;
    this.#resourceVersion = undefined;
    throw new AppError('kube-refused', `the API server ended the watch with ${end.status}`, {
      status: end.status,
    });
  }

  #listener(): WatchListener {
    return {
      opened: () => {
        this.#heardAt = this.#now();
        this.#watchingSince = this.#heardAt;
        this.#count('watching');
        this.#options.log.debug({ resource: this.#resource.name }, 'kubernetes watch open');
        if (this.#problem !== undefined)
          this.#options.log.info({ resource: this.#resource.name }, 'kubernetes watch recovered');
        this.#problem = undefined;
      },
      heard: () => {
        this.#heardAt = this.#now();
        this.#silent = false;
      },
      event: (event) => {
        this.#resourceVersion = this.#intake.apply(event) ?? this.#resourceVersion;
      },
    };
  }

  /** A server that closes healthy watches is asked again at once; anything else backs off. */
  #pauseAfter(error: unknown): number {
    const healthy = this.#watchingSince !== undefined && this.#now() - this.#watchingSince >= healthyMs;
    if (healthy) this.#failures = 0;
    if (healthy && error === undefined) return 0;
    this.#failures += 1;
    return retryAfterMs(error) + backoffMs(this.#failures, this.#options.random);
  }

  #report(error: unknown): void {
    this.#count('failed');
    this.#options.onFailure?.(error);
    const problem = problemOf(this.#resource, error);
    if (problem === this.#problem) return;
    this.#problem = problem;
    const said = isAppError(error) ? error.answer?.body : undefined;
    const cause = said || messageOf(error instanceof Error ? (error.cause ?? error) : error);
    this.#options.log.warn({ resource: this.#resource.name, problem, cause }, 'kubernetes watch interrupted');
  }

  #count(event: ReflectorEvent): void {
    this.#options.onEvent?.(event);
  }

  #now(): number {
    return this.#options.connection.clock.monotonic();
  }
}

/** These leave us not knowing where we were; after all others the watch goes on from its last event. */
function needsList(error: unknown): boolean {
  if (!isAppError(error)) return true;
  if (error.code === 'kube-refused') return error.status === 410 || error.status === 400;
  return error.code === 'kube-garbled' || error.code === 'kube-too-large';
}
