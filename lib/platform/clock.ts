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

/** An RFC 3339 time as Kubernetes writes it, ms since the epoch; NaN for anything else. */
export function parseTime(text: string): number {
  return text === '' ? Number.NaN : Date.parse(text);
}
