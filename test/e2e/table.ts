import { aligned } from '../bench/aligned.ts';

/** What became of one scenario. */
export interface Row {
  readonly name: string;
  readonly ms: number;
  /** Why it failed, one breach a line; none when it passed. */
  readonly breaches: readonly string[];
}

/** The scenarios with their times; the last line is `N passed, N failed`. */
export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map(({ name, ms, breaches }) => [
    breaches.length === 0 ? 'ok' : 'FAILED',
    seconds(ms).padStart(7),
    name,
  ]);
  const failed = rows.filter(({ breaches }) => breaches.length > 0);
  const told = failed.flatMap(({ name, breaches }) => ['', `FAILED: ${name}`, ...breaches.map(indented)]);
  const totals = `${rows.length - failed.length} passed, ${failed.length} failed`;
  return [aligned(cells), ...told, '', totals].join('\n');
}

/** `12.3 s`. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}
