import { plain } from '../model/text.ts';
import { plainStyle, type Style } from './style.ts';

/** Text, and how it is marked. */
export interface Cell {
  readonly text: string;
  readonly mark?: keyof Style;
}

/** Longer than any ARM id; every row is filled up to the widest cell of its column. */
const widest = 400;

/** Rows under their headings in columns, as kubectl prints them; ends with a newline. Cells lose their control characters. */
export function table(
  headings: readonly string[],
  rows: readonly (readonly (string | Cell)[])[],
  style: Style = plainStyle,
): string {
  const all = [headings.map((text): Cell => ({ text, mark: 'bold' })), ...rows.map((row) => row.map(cellOf))];
  const widths = headings.map((_, i) =>
    all.reduce((width, row) => Math.max(width, row[i]?.text.length ?? 0), 0),
  );
  return all.map((row) => `${line(row, widths, style)}\n`).join('');
}

function cellOf(cell: string | Cell): Cell {
  const { text, mark } = typeof cell === 'string' ? { text: cell, mark: undefined } : cell;
  const cut = text.length > widest ? `${text.slice(0, widest)}…` : text;
  const shown = text === '' ? '-' : plain(cut);
  return mark ? { text: shown, mark } : { text: shown };
}

/** Nothing is filled up behind the last cell: a line that is longer than the terminal would wrap for blanks. */
function line(row: readonly Cell[], widths: readonly number[], style: Style): string {
  return row
    .map(({ text, mark }, i) => {
      const marked = mark ? style[mark](text) : text;
      return i === row.length - 1 ? marked : marked + ' '.repeat((widths[i] ?? 0) - text.length + 3);
    })
    .join('');
}
