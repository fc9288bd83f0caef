import type { Lease, LeaseDoor, LeaseRecord } from '../../lib/kube/lease.ts';
import type { OriginalLock, OriginalStanding } from '../../lib/kube/original-lock.ts';
import { AppError } from '../../lib/model/errors.ts';
import type { Clock } from '../../lib/platform/clock.ts';
import type { FakeClock } from '../fakes/clock.ts';

/** What a request comes to: it is refused before anything is done, or after. Undefined: all is well. */
export type Mishap = 'before' | 'after' | 'hangs' | undefined;

/** The Lease of an API server: one resourceVersion, and a write that names an old one is refused. */
export class FakeLease {
  lease: Lease | undefined;
  #version = 0;

  /** A candidate's way to it. `mishap` is asked at every request, `delayMs` how long each half of its way takes. */
  door(clock: Clock, mishap: () => Mishap, delayMs: () => number): LeaseDoor {
    const pass = async (ms: number, signal: AbortSignal): Promise<void> => {
      if (ms > 0) await clock.sleep(ms, signal);
      signal.throwIfAborted();
    };
    const through = async <T>(signal: AbortSignal, act: () => T): Promise<T> => {
      const kind = mishap();
      await pass(delayMs(), signal);
      if (kind === 'before') throw new AppError('kube-unreachable', 'nobody there');
      const result = act();
      await pass(kind === 'hangs' ? 1e9 : delayMs(), signal);
      if (kind === 'after') throw new AppError('kube-unreachable', 'broken off');
      return result;
    };
    return {
      read: (signal) => through(signal, () => this.lease),
      create: (record, signal) =>
        through(signal, () => {
          if (this.lease) throw conflict();
          return this.write(record);
        }),
      update: (lease, record, signal) =>
        through(signal, () => {
          if (this.lease?.metadata.resourceVersion !== lease.metadata.resourceVersion) throw conflict();
          return this.write(record);
        }),
    };
  }

  write(record: LeaseRecord): Lease {
    this.#version += 1;
    const metadata = { namespace: 'default', name: 'mic', uid: 'u', resourceVersion: String(this.#version) };
    this.lease = { record, metadata };
    return this.lease;
  }
}

/** The original's lock, held by whom the test says. */
export class FakeOriginal implements OriginalLock {
  standing: OriginalStanding = { kind: 'free' };

  async look(): Promise<OriginalStanding> {
    return this.standing;
  }
}

/** The same time as another clock, by an hour that is wrong and goes on being wrong. */
export class SkewedClock implements Clock {
  readonly #clock: FakeClock;
  readonly #skewMs: number;

  constructor(clock: FakeClock, skewMs: number) {
    this.#clock = clock;
    this.#skewMs = skewMs;
  }

  now(): number {
    return this.#clock.now() + this.#skewMs;
  }

  monotonic(): number {
    return this.#clock.monotonic() + Math.abs(this.#skewMs);
  }

  after(ms: number, run: () => void): ReturnType<Clock['after']> {
    return this.#clock.after(ms, run);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return this.#clock.sleep(ms, signal);
  }
}

function conflict(): AppError {
  return new AppError('kube-refused', 'the API server answered 409', { status: 409 });
}
