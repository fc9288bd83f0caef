import { Leader } from '../../lib/kube/leader.ts';
import type { Clock } from '../../lib/platform/clock.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeLease, FakeOriginal, type Mishap, SkewedClock } from './fake-lease.ts';
import { MemoryLog } from './rig.ts';

export const leaseMs = 15_000;

/** One MIC that contends for the lease, and whose work lasts until it is told to end, and `lingerMs` longer. */
export class Contender {
  readonly name: string;
  readonly log = new MemoryLog();
  readonly told: string[] = [];
  readonly leader: Leader;
  /** Its work runs and has not been told to end. */
  working = false;
  terms = 0;
  /** What its next requests come to. */
  mishap: () => Mishap = () => undefined;
  delayMs: () => number = () => 0;
  lingerMs = 0;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(name: string, world: World, skewMs = 0) {
    this.name = name;
    this.#clock = new SkewedClock(world.clock, skewMs);
    this.leader = new Leader({
      lease: world.lease.door(
        this.#clock,
        () => this.mishap(),
        () => this.delayMs(),
      ),
      original: world.original,
      identity: name,
      durationMs: leaseMs,
      clock: this.#clock,
      random: world.random,
      log: this.log,
      tell: (_about, event) => void this.told.push(event.message),
    });
  }

  start(): this {
    this.#running = this.leader.run(this.#stop.signal, (signal) => this.#work(signal));
    return this;
  }

  /** From now on nobody hears of it, as when its machine dies; its work is over. */
  die(): void {
    this.mishap = () => 'before';
    this.working = false;
    this.#dead = true;
  }
  #dead = false;

  /** Ends in good order; resolves when it has. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #work(signal: AbortSignal): Promise<void> {
    this.terms += 1;
    this.working = !this.#dead;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        this.working = false;
        resolve();
      };
      if (signal.aborted) end();
      signal.addEventListener('abort', end, { once: true });
    });
    await this.#clock.sleep(this.lingerMs);
  }
}

export class World {
  readonly clock = new FakeClock();
  readonly lease = new FakeLease();
  readonly original = new FakeOriginal();
  readonly random: () => number;

  constructor(random: () => number = () => 0.5) {
    this.random = random;
  }

  /** Moves time on in steps until `condition` holds, `withinMs` at most; how long it took, ms. */
  async until(condition: () => boolean, withinMs: number, stepMs = 50): Promise<number> {
    const began = this.clock.monotonic();
    while (!condition() && this.clock.monotonic() - began < withinMs) await this.clock.advance(stepMs);
    return this.clock.monotonic() - began;
  }
}
