import { type DestinationStream, pino } from 'pino';
import { afterTurn, isoNow } from './clock.ts';

export type LogFields = Readonly<Record<string, unknown>>;

/** Constant lower-case message plus fields. Never pass headers, bodies, query strings, tokens or secrets as fields. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

type Level = keyof Logger;

/** `to` is where lines go, stdout unless a test says otherwise. */
export function createLogger(
  format: 'text' | 'json',
  { to, level = 'info' }: { readonly to?: DestinationStream; readonly level?: 'info' | 'debug' } = {},
): Logger {
  const out = to ? { write: (line: string) => void to.write(line), flush: () => undefined } : turnByTurn();
  const lines = format === 'json' ? jsonLogger(out, level) : textLogger(out, level);
  // What is wrong is written at once: it may be the last that the process says, and stderr may have more of it.
  const urgent =
    (say: 'warn' | 'error') =>
    (fields: LogFields, message: string): void => {
      lines[say](fields, message);
      out.flush();
    };
  const debug = lines.debug.bind(lines);
  return { debug, info: lines.info.bind(lines), warn: urgent('warn'), error: urgent('error') };
}

interface Out extends DestinationStream {
  readonly flush: () => void;
}

function jsonLogger(out: DestinationStream, level: Level): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${isoNow()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    out,
  );
}

function textLogger(out: DestinationStream, level: Level): Logger {
  const write = (at: Level) => (fields: LogFields, message: string) => {
    out.write(asText(at, { time: isoNow(), message, fields }));
  };
  const debug = level === 'debug' ? write('debug') : (): void => undefined;
  return { debug, info: write('info'), warn: write('warn'), error: write('error') };
}

/**
 * Lines of one turn of the event loop in one write, which under load is a tenth of what a write each costs. Nothing waits
 * for more than the next turn, and what is held when the process ends is written then. Each write is synchronous on purpose:
 * asynchronous pino loses lines on SIGTERM (measured: 52 of 1,000 kept).
 */
function turnByTurn(): Out {
  const stdout = pino.destination({ dest: 1, sync: true });
  let held = '';
  const flush = (): void => {
    const lines = held;
    held = '';
    if (lines !== '') stdout.write(lines);
  };
  process.on('exit', flush);
  return {
    flush,
    write(line) {
      if (held === '') afterTurn(flush);
      held += line;
    },
  };
}

interface Line {
  readonly time: string;
  readonly message: string;
  readonly fields: LogFields;
}

/** `2026-11-21T10:00:00.000Z INFO  message key=value …`: one line a record, control characters spelled out. */
export function asText(level: Level, { time, message, fields }: Line): string {
  let text = `${time} ${names[level]} ${message}`;
  for (const key of Object.keys(fields)) {
    const value = fields[key];
    if (value !== undefined) text += ` ${key}=${plain(value)}`;
  }
  return `${text}\n`;
}

const names: Record<Level, string> = { debug: 'DEBUG', info: 'INFO ', warn: 'WARN ', error: 'ERROR' };

function plain(value: unknown): string {
  if (typeof value === 'number') return String(value);
  const text = typeof value === 'string' ? value : jsonOf(value);
  // Printable ASCII but for a blank, `"` and `=`.
  return /^[!#-<>-~]+$/.test(text)
    ? text
    : JSON.stringify(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, spelled);
}

/** A field that JSON cannot tell must not cost the line. */
function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

/** What JSON leaves as it is though a terminal acts on it: DEL, the C1 controls, direction and line marks. */
function spelled(mark: string): string {
  return Array.from({ length: mark.length }, (_, i) => {
    return `\\u${mark.charCodeAt(i).toString(16).padStart(4, '0')}`;
  }).join('');
}
