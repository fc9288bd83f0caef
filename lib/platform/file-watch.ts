import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Clock } from './clock.ts';

export interface FileWatchOptions {
  readonly path: string;
  readonly clock: Clock;
  /** Between two looks, ms. */
  readonly everyMs: number;
  /** The text as the caller knows it. */
  readonly known: string;
  /** With the text, as often as it is another one. What it throws is told, and the watch goes on. */
  readonly onChange: (text: string) => void;
  /** The file cannot be read. Told once, until it can be again. */
  readonly onTrouble: (error: unknown) => void;
}

/**
 * Watches the text of a file until `signal` aborts. By reading it, since ConfigMaps and Secrets change by a symlink two folders up,
 * which no notice of the file itself tells. A file that is away for a moment has not changed.
 */
export async function watchFile(options: FileWatchOptions, signal: AbortSignal): Promise<void> {
  const { path, clock, everyMs, onChange, onTrouble } = options;
  let seen = hashOf(options.known);
  let inTrouble = false;
  for (;;) {
    await clock.sleep(everyMs, signal);
    if (signal.aborted) return;
    try {
      const text = await readFile(path, 'utf8');
      inTrouble = false;
      if (seen === hashOf(text)) continue;
      seen = hashOf(text);
      onChange(text);
    } catch (error) {
      if (!inTrouble) onTrouble(error);
      inTrouble = true;
    }
  }
}

/** Kept in place of the text, which may be a secret. */
function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
