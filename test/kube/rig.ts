import type { Test } from 'tap';
import { Connection } from '../../lib/kube/connection.ts';
import { Reflector, type ReflectorEvent } from '../../lib/kube/reflector.ts';
import { metadataOf, objectKey, type Resource, type Sink } from '../../lib/kube/resource.ts';
import type { KubeSource } from '../../lib/kube/settings.ts';
import type { LogFields, Logger } from '../../lib/platform/log.ts';
import { FakeClock } from '../fakes/clock.ts';
import { eventually } from '../lab/eventually.ts';
import { HostileApi } from './hostile-api.ts';

export interface Thing {
  readonly key: string;
  readonly colour: string;
}

/** A kind whose only field must be a string. */
export const things: Resource<Thing> = {
  name: 'things',
  path: '/apis/example.com/v1/things',
  parse(raw) {
    const { colour } = metadataOf(raw);
    return typeof colour === 'string' ? { key: objectKey(raw) ?? '', colour } : undefined;
  },
};

/** A thing as the API server would send it. */
export function thing(name: string, colour: unknown, resourceVersion = '11'): unknown {
  return { metadata: { namespace: 'ns', name, colour, resourceVersion } };
}

/** A sink that holds what it is given, and throws while `broken`. */
export class ThingSink implements Sink<Thing> {
  readonly held = new Map<string, string>();
  broken = false;

  replace(items: readonly Thing[]): void {
    this.#refuse();
    this.held.clear();
    for (const item of items) this.held.set(item.key, item.colour);
  }

  upsert(item: Thing): void {
    this.#refuse();
    this.held.set(item.key, item.colour);
  }

  remove(key: string): void {
    this.#refuse();
    this.held.delete(key);
  }

  #refuse(): void {
    if (this.broken) throw new Error('the sink is broken');
  }
}

/** A logger that keeps its lines, those for debugging apart. */
export class MemoryLog implements Logger {
  readonly lines: { readonly level: string; readonly message: string; readonly fields: LogFields }[] = [];
  readonly debugging: string[] = [];
  readonly debug = (_fields: LogFields, message: string): void => void this.debugging.push(message);
  readonly info = this.#at('info');
  readonly warn = this.#at('warn');
  readonly error = this.#at('error');

  #at(level: string): (fields: LogFields, message: string) => void {
    return (fields, message) => void this.lines.push({ level, message, fields });
  }
}

/** A clock that stands still and remembers how long it was asked to sleep. */
export class SleepClock extends FakeClock {
  readonly pauses: number[] = [];

  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.pauses.push(ms);
    return super.sleep(ms, signal);
  }
}

/** A server, and a connection to it under a clock that stands still; both end with the test. */
export async function connect(
  t: Test,
  sourceOf: (api: HostileApi) => KubeSource = (api) => ({ kind: 'kubeconfig', path: api.kubeconfig() }),
): Promise<{ api: HostileApi; clock: SleepClock; connection: Connection }> {
  const api = await HostileApi.start();
  t.teardown(() => api.close());
  const clock = new SleepClock();
  const connection = new Connection({ source: sourceOf(api), userAgent: 'pod-identity/test', clock });
  t.teardown(() => connection.close());
  return { api, clock, connection };
}

/** A reflector of things against a server of its own; `start` it when the server knows what to answer. */
export class Rig {
  readonly api: HostileApi;
  readonly clock: SleepClock;
  readonly connection: Connection;
  readonly sink = new ThingSink();
  readonly log = new MemoryLog();
  readonly events: ReflectorEvent[] = [];
  readonly reflector: Reflector<Thing>;
  readonly #t: Test;
  readonly #stop = new AbortController();
  #running = Promise.resolve();

  private constructor(t: Test, parts: { api: HostileApi; clock: SleepClock; connection: Connection }) {
    this.#t = t;
    this.api = parts.api;
    this.clock = parts.clock;
    this.connection = parts.connection;
    this.reflector = new Reflector(things, this.sink, {
      connection: parts.connection,
      random: () => 0,
      log: this.log,
      onEvent: (event) => void this.events.push(event),
    });
  }

  static async create(t: Test): Promise<Rig> {
    const rig = new Rig(t, await connect(t));
    t.teardown(() => rig.stop());
    return rig;
  }

  start(): void {
    this.#running = this.reflector.run(this.#stop.signal);
  }

  /** Resolves when the reflector has ended. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  count(event: ReflectorEvent): number {
    return this.events.filter((each) => each === event).length;
  }

  /** Waits for the nth event of that kind. */
  async seen(event: ReflectorEvent, times = 1): Promise<void> {
    await eventually(`${times} × ${event}`, () => this.count(event) >= times, { everyMs: 2 });
  }

  /** Waits for the nth pause between two rounds, and passes it. */
  async pass(times = 1): Promise<void> {
    await eventually(`pause ${times}`, () => this.clock.pauses.length >= times, { everyMs: 2 });
    await this.clock.advance(this.clock.pauses.at(-1) ?? 0);
  }

  /** Asserts that the sink comes to hold exactly this. */
  async holds(expected: Readonly<Record<string, string>>): Promise<void> {
    const wanted = JSON.stringify(expected);
    const held = (): string => JSON.stringify(Object.fromEntries(this.sink.held));
    await eventually(`the sink holds ${wanted}`, () => held() === wanted, { everyMs: 2 });
    this.#t.pass(`the sink holds ${wanted}`);
  }
}
