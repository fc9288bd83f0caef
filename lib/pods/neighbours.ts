import { messageOf } from '../model/errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { Exec } from '../platform/exec.ts';
import type { Logger } from '../platform/log.ts';
import { Loop } from '../platform/loop.ts';
import { type Bridge, onBridges, type PodAddress } from './bridges.ts';
import { readTables, take } from './neighbour-tables.ts';
import { type PinStep, planPins, type Unpinned, type WantedPin } from './pins.ts';

export interface NeighbourPinsOptions {
  readonly exec: Exec;
  readonly clock: Clock;
  readonly log: Logger;
  /** 0 to 1, as Math.random. */
  readonly random: () => number;
  readonly bridges: () => readonly Bridge[];
  /** The addresses that pods of this node hold for sure; undefined while that is not known, and nothing is changed then. */
  readonly held: () => Iterable<PodAddress> | undefined;
}

/**
 * `--pin-neighbours`: on a bridge the kernel learns from anyone's ARP which MAC has an address, and from anyone's frames
 * which port has a MAC. So a pod with NET_RAW takes a neighbour's address, or its address and MAC, and gets the answers of
 * this node, tokens included. Pinned are both, as they are when a pod is first seen: a permanent neighbour entry, and a
 * static sticky forwarding entry. What a thief sends then still arrives here, but the answers go to the owner: no TCP
 * connection comes about. The marked entries are the only memory: one that an ended agent left is kept while its pod is there.
 *
 * Not protected: a pod that nobody has seen yet, against a thief who is at work already (one is found out, and told, only
 * when its port answers for two pods); pods against each other, apart from this node's answers; a pod
 * that changes its own MAC, which cuts itself off until it is made again. While no agent runs, what a killed one left can cut
 * the node off from a new pod with an old one's address: `bin/cleanup-iptables`.
 *
 * Needs `ip` and `bridge` (iproute2) and NET_ADMIN.
 */
export interface NeighbourPins {
  /** Looks every 5 s, and when triggered, until `signal` aborts. Never rejects: failures are logged and tried again. */
  keep(signal: AbortSignal): Promise<void>;
  /** Pods may have changed. */
  trigger(): void;
  /** Takes every pin back, after `keep` has ended. Never rejects: what is left is logged. Can be called without a `keep`. */
  withdraw(): Promise<void>;
}

/** Between two looks, ms: each runs two programs, with 110 pods about 15 ms of CPU, children counted. */
const everyMs = 5_000;
/** An ARP answer of a pod takes well under 1 ms, ms. */
const answerMs = 50;

export function createNeighbourPins(options: NeighbourPinsOptions): NeighbourPins {
  return new KernelPins(options);
}

class KernelPins implements NeighbourPins {
  readonly #options: NeighbourPinsOptions;
  readonly #loop: Loop;
  /** What was told of addresses that could not be pinned at the last look. */
  #told = new Set<string>();
  #failure: string | undefined;

  constructor(options: NeighbourPinsOptions) {
    this.#options = options;
    const { clock, random } = options;
    const onError = (error: unknown): void => this.#failed(messageOf(error));
    this.#loop = new Loop(() => this.#look(), {
      clock,
      random,
      onError,
      everyMs,
      retryMs: 1_000,
      minMs: 200,
    });
  }

  keep(signal: AbortSignal): Promise<void> {
    return this.#loop.run(signal);
  }

  trigger(): void {
    this.#loop.trigger();
  }

  async withdraw(): Promise<void> {
    try {
      await this.#mend([]);
    } catch (error) {
      const cure = 'bin/cleanup-iptables';
      this.#options.log.error({ why: messageOf(error), cure }, 'pinned neighbours are left');
    }
  }

  async #look(): Promise<void> {
    const { held, bridges, clock } = this.#options;
    const addresses = held();
    if (!addresses) return;
    const wanted = onBridges(addresses, bridges());
    let unpinned = await this.#mend(wanted);
    if (unpinned.length > 0) {
      await clock.sleep(answerMs);
      unpinned = await this.#mend(wanted);
    }
    this.#tell(unpinned);
    if (this.#failure !== undefined) this.#options.log.info({}, 'neighbours can be pinned again');
    this.#failure = undefined;
  }

  /** Every step is tried; rejects with the first failure. */
  async #mend(wanted: readonly WantedPin[]): Promise<readonly Unpinned[]> {
    const { exec } = this.#options;
    const { steps, unpinned } = planPins(wanted, await readTables(exec));
    const failures: unknown[] = [];
    for (const step of steps) {
      await take(exec, step).then(
        () => this.#done(step),
        (error: unknown) => failures.push(error),
      );
    }
    if (failures.length > 0) throw failures[0];
    return unpinned;
  }

  #done(step: PinStep): void {
    const { do: what, ...fields } = step;
    if (what === 'pin') this.#options.log.info(fields, 'neighbour pinned');
    if (what === 'release') this.#options.log.info(fields, 'neighbour released');
  }

  #tell(unpinned: readonly Unpinned[]): void {
    const before = this.#told;
    this.#told = new Set(unpinned.map(keyOf));
    for (const one of unpinned.filter((one) => !before.has(keyOf(one)))) {
      this.#options.log.warn(
        { ...one },
        one.port === undefined
          ? 'neighbour not pinned: nobody answers for the address'
          : "neighbour not pinned: another pod's port answers for the address",
      );
    }
  }

  #failed(why: string): void {
    if (why !== this.#failure)
      this.#options.log.warn({ why }, 'neighbours could not be read or pinned; will retry');
    this.#failure = why;
  }
}

function keyOf({ ip, pod, port = '' }: Unpinned): string {
  return `${ip} ${pod} ${port}`;
}
