import type { MetadataListener } from '../metadata/server.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/log.ts';
import { patientOpen } from '../platform/patient-open.ts';
import type { Redirect } from '../redirect/redirect.ts';
import type { Target } from '../redirect/rules.ts';
import { coversLoopback } from './listeners.ts';

/** After another agent took the redirect, connections that came just before are still accepted for this long, ms. */
const lingerMs = 1_000;
/** For requests that are under way then, ms: more than the longest hold takes. */
const retireMs = 15 * 60_000;
/** How often an agent that waits for its turn looks whether the other is still there, ms. */
const turnMs = 500;

export interface ServingParts {
  readonly redirect: Redirect;
  /** A listener for pods, or, with `onlyLocal`, for `/host/token` on the loopback. */
  readonly listener: (onlyLocal: boolean) => MetadataListener;
  readonly listen: string;
  /** The first and the last of the pods' ports. `/host/token` is asked for on the first. */
  readonly ports: readonly [number, number];
  readonly hostToken: boolean;
  /** Resolves when the caches are filled, with true, or after `ms`. */
  readonly whenSynced: (ms: number, ending: AbortSignal) => Promise<boolean>;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Opened {
  readonly listener: MetadataListener;
  readonly port: number;
}

/** The pods' listener and the redirect that leads to it, through every hand-over from one agent to another. */
export class Serving {
  readonly #parts: ServingParts;
  /** Every listener that may have a request in flight. */
  readonly #open = new Set<MetadataListener>();
  #forPods: Opened | undefined;
  #forHost: Opened | undefined;

  constructor(parts: ServingParts) {
    this.#parts = parts;
  }

  /** The pods' listener accepts connections. */
  get listening(): boolean {
    return this.#forPods?.listener.listening === true;
  }

  /** Whether it is this very process that answers there: a redirect that leads to it is nobody else's. */
  answersAt({ ip, port }: Target): boolean {
    const { listen } = this.#parts;
    const forPods = this.listening && this.#forPods?.port === port && (listen === '0.0.0.0' || listen === ip);
    const forHost = this.#forHost?.listener.listening === true && this.#forHost.port === port;
    return forPods || (forHost && ip.startsWith('127.'));
  }

  /** Serves pods, or stands by while another agent does, until `ending` aborts. */
  async run(ending: AbortSignal): Promise<void> {
    const { redirect, log, listen } = this.#parts;
    while (!ending.aborted) {
      const opened = await this.#openForPods(ending);
      if (!opened) return;
      const round = new AbortController();
      const hostToken = this.#openForHost(opened, AbortSignal.any([ending, round.signal]));
      await this.#waitForTurn(opened, ending);
      if (!ending.aborted) {
        await redirect.redirect(opened.port);
        log.info({ listen: `${listen}:${opened.port}` }, 'serving pods');
        await redirect.keep(ending);
      }
      if (!ending.aborted) await this.#standBy(opened, ending);
      round.abort();
      await hostToken;
    }
  }

  /** Takes no new connection, lets requests in flight end, and cuts what is left after `deadlineMs`. */
  async drain(deadlineMs: number): Promise<void> {
    await Promise.all([...this.#open].map((listener) => listener.close(deadlineMs)));
  }

  async #openForPods(ending: AbortSignal): Promise<Opened | undefined> {
    const { listen, ports } = this.#parts;
    const [first, last] = ports;
    const each = Array.from({ length: last - first + 1 }, (_, i) => first + i);
    const opens = each.map((port) => () => this.#listen(listen, port, false));
    this.#forPods = await patientOpen(opens, this.#parts, ending);
    return this.#forPods;
  }

  /** `/host/token` has its own listener where the pods' does not hear the loopback, or has another port. */
  async #openForHost({ port }: Opened, ending: AbortSignal): Promise<void> {
    const { hostToken, listen, ports } = this.#parts;
    const isCovered = coversLoopback(listen) && port === ports[0];
    if (!hostToken || isCovered || this.#forHost) return;
    this.#forHost = await patientOpen([() => this.#listen('127.0.0.1', ports[0], true)], this.#parts, ending);
  }

  async #listen(host: string, port: number, onlyLocal: boolean): Promise<Opened> {
    const listener = this.#parts.listener(onlyLocal);
    // A successor's is opened beside its predecessor's; no redirect leads there, so nothing is lost between the two.
    const opened = { listener, port: await listener.listen(host, port, { shared: onlyLocal }) };
    this.#open.add(listener);
    return opened;
  }

  /** Where another agent answers, pods are better off with it until the caches are filled. */
  async #waitForTurn({ port }: Opened, ending: AbortSignal): Promise<void> {
    const { redirect, whenSynced } = this.#parts;
    while (!ending.aborted && (await redirect.isServedByAnother(port))) {
      if (await whenSynced(turnMs, ending)) return;
    }
  }

  async #standBy({ listener }: Opened, ending: AbortSignal): Promise<void> {
    const { redirect, clock, log } = this.#parts;
    log.info({}, 'standing by: another agent serves the pods of this node');
    await clock.sleep(lingerMs, ending);
    void listener.close(retireMs).then(() => this.#open.delete(listener));
    await redirect.standBy(ending);
  }
}
