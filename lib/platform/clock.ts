/** The one door to time. Everything that waits or asks the hour takes a Clock, so that tests never sleep. */
export interface Clock {
  /** Wall time, ms since the epoch. For expiry times that others set. */
  now(): number;
  /** Milliseconds that never go back. For durations and deadlines. */
  monotonic(): number;
  /** Calls `run` once after `ms`, unless cancelled. Does not keep the process alive by itself. */
  after(ms: number, run: () => void): Timer;
  /** Resolves after `ms`; resolves early, without an error, when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Timer {
  cancel(): void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
  sleep(ms, signal) {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done, { once: true });
    });
  },
};

let ending: Promise<void> | undefined;

/**
 * Resolves when all that this turn of the event loop brought has been handled: one promise for all that wait. Answers that leave
 * together wake their reader once, which took a fifth off an answer's cost with 64 connections.
 */
export function turnEnd(): Promise<void> {
  ending ??= new Promise((resolve) =>
    afterTurn(() => {
      ending = undefined;
      resolve();
    }),
  );
  return ending;
}

/** Calls `run` when all that this turn of the event loop brought has been handled. */
export function afterTurn(run: () => void): void {
  setImmediate(run);
}

/** The wall time as logs have it: `2026-11-21T10:00:00.000Z`. */
export function isoNow(): string {
  const now = Date.now();
  if (now !== told.at) told = { at: now, as: new Date(now).toISOString() };
  return told.as;
}

/** Under load a dozen lines have the same time, and to write it is a fifth of what a line costs. */
let told = { at: Number.NaN, as: '' };

/** An RFC 3339 time as Kubernetes writes it, ms since the epoch; NaN for anything else. */
export function parseTime(text: string): number {
  return text === '' ? Number.NaN : Date.parse(text);
}
