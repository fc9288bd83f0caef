import type { CoreV1Event } from '@kubernetes/client-node';
import { AppError, isAppError } from '../model/errors.ts';
import type { Logger } from '../platform/log.ts';
import { waitFor } from '../platform/wait.ts';
import { retryAfterMs } from './backoff.ts';
import type { Connection } from './connection.ts';
import { Deadline } from './deadline.ts';
import { type EventRef, eventBody, type KubeEvent, namespaceOf } from './event-body.ts';
import { Recent } from './recent.ts';

/**
 * For counters. `repeated`: the same was told within the minute, or enough like it; `dropped`: no room, or no right in that
 * namespace; `failed`: the API server refused or did not answer.
 */
export type EventOutcome = 'sent' | 'repeated' | 'dropped' | 'failed';

export interface PodEventsOptions {
  readonly connection: Connection;
  /** Who tells: an agent's node, a controller's pod. */
  readonly node: string;
  readonly log: Logger;
  readonly count: (outcome: EventOutcome) => void;
}

export interface EventsOptions extends PodEventsOptions {
  /** How many different messages of one reason are told of one object a minute. */
  readonly alike: number;
  /** Events that may wait to be sent. */
  readonly room: number;
}

/** The same is not told of the same object so soon again, ms. */
const apartMs = 60_000;
/** A namespace in which we may not create events is left alone so long, ms. */
const withoutRightMs = 300_000;
const deadlineMs = 5_000;
/** The answer is the event as it is kept, with its managedFields. */
const maxAnswerBytes = 64 * 1024;
const idleMs = 60_000;

interface Waiting {
  readonly namespace: string;
  readonly body: CoreV1Event;
}

/**
 * Tells of objects by Kubernetes Events. `report` makes nobody wait and never fails; `run` sends, one request at a time, each
 * with its own deadline, and drops what cannot be sent.
 */
export class Events {
  readonly #options: EventsOptions;
  readonly #waiting: Waiting[] = [];
  readonly #told: Recent;
  readonly #withoutRight: Recent;
  #wake: (() => void) | undefined;
  #warned = false;

  constructor(options: EventsOptions) {
    const { clock } = options.connection;
    this.#options = options;
    this.#told = new Recent(clock, apartMs, 10 * options.room);
    this.#withoutRight = new Recent(clock, withoutRightMs);
  }

  /** Tells of an object, unless the same, or enough of the same reason, was told of it within the minute. */
  report(about: EventRef, event: KubeEvent): void {
    const { connection, node, room, count } = this.#options;
    const keys = this.#keysOf(about, event);
    if (!keys) count('repeated');
    else if (this.#waiting.length >= room || !keys.every((key) => this.#told.add(key))) count('dropped');
    else {
      const body = eventBody(about, event, { node, now: connection.clock.now() });
      this.#waiting.push({ namespace: namespaceOf(about), body });
      this.#wake?.();
    }
  }

  /** What is remembered of an event that is to be told; undefined for one that is not. */
  #keysOf({ uid, kind = 'Pod' }: EventRef, { reason, message }: KubeEvent): readonly string[] | undefined {
    const own = `${kind} ${uid} ${reason}`;
    const places = Array.from({ length: this.#options.alike }, (_, i) => `${own} ${i}`);
    const free = places.find((place) => !this.#told.has(place));
    if (free === undefined || places.length === 1) return free === undefined ? undefined : [free];
    const same = `${own} "${message}"`;
    return this.#told.has(same) ? undefined : [free, same];
  }

  /** Sends until `signal` aborts; resolves then, and what still waits is never sent. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options.connection;
    while (!signal.aborted) {
      const next = this.#waiting.shift();
      if (next) await this.#send(next, signal);
      else await waitFor(this.#arrival(), idleMs, { clock, signal });
    }
  }

  #arrival(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    return promise;
  }

  async #send({ namespace, body }: Waiting, signal: AbortSignal): Promise<void> {
    const { connection, count } = this.#options;
    if (this.#withoutRight.has(namespace)) return count('dropped');
    const deadline = new Deadline(connection.clock, signal);
    deadline.arm(deadlineMs, () => new AppError('kube-timeout', `no event taken within ${deadlineMs} ms`));
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`;
    const options = { method: 'POST', body, maxBytes: maxAnswerBytes, signal: deadline.signal } as const;
    try {
      await connection.json(path, options);
      count('sent');
    } catch (error) {
      if (signal.aborted) return;
      count('failed');
      await this.#giveWay(namespace, error, signal);
    } finally {
      deadline.end();
    }
  }

  /** To an API server that does not want our events, or not now. */
  async #giveWay(namespace: string, error: unknown, signal: AbortSignal): Promise<void> {
    if (lacksRight(error)) {
      this.#withoutRight.add(namespace);
      if (!this.#warned) {
        const cure = 'grant the verb create on events (core group), or turn them off';
        this.#options.log.warn({ namespace, cure }, 'no right to create events; they are off');
      }
      this.#warned = true;
    }
    const pause = retryAfterMs(error);
    if (pause > 0) await this.#options.connection.clock.sleep(pause, signal);
  }
}

/**
 * Whether the authorizer refused; the sentence is its own. Any other 403 concerns one namespace or one event: the namespace
 * is being deleted, its quota is used up, an admission policy objects.
 */
function lacksRight(error: unknown): boolean {
  if (!isAppError(error, 'kube-refused') || error.status !== 403) return false;
  return /^events is forbidden: User "/.test(error.answer?.body ?? '');
}

/** An agent's: of each pod one event a minute for the same reason, whatever the message. */
export class PodEvents extends Events {
  constructor(options: PodEventsOptions) {
    super({ ...options, alike: 1, room: 100 });
  }
}
