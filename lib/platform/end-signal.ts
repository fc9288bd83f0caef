import { systemClock } from './clock.ts';
import type { Logger } from './log.ts';

/** After the first signal, ms: what is under way takes a few seconds at most. */
const lastMs = 20_000;

/** Aborts at the first SIGTERM or SIGINT; `cut` is for the second, and for the end of 20 s: it tells why and ends the process. */
export function endSignal(log: Pick<Logger, 'info'>, cut: (why: string) => void): AbortSignal {
  const end = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (end.signal.aborted) return cut(`a second ${name}`);
      log.info({ signal: name }, 'told to end');
      end.abort();
      systemClock.after(lastMs, () => cut(`it took longer than ${lastMs} ms`));
    });
  }
  return end.signal;
}
