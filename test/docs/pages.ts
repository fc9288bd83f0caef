import { existsSync, readdirSync, readFileSync } from 'node:fs';

export const root = new URL('../../', import.meta.url);

/** The pages that people read, by their path from the root. */
export const pages: readonly string[] = [
  ...readdirSync(new URL('docs/', root))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
  'daemonset/dashboards/README.md',
];

export function textOf(page: string): string {
  return readFileSync(new URL(page, root), 'utf8');
}

export function exists(path: string): boolean {
  return existsSync(new URL(path, root));
}

/** What stands between backticks, in blocks and in lines, one piece for each line of a block. */
export function codeIn(text: string): readonly string[] {
  const blocks = [...text.matchAll(/^ *```[^\n]*\n([\s\S]*?)^ *```/gm)].map(([, block = '']) => block);
  const prose = text.replaceAll(/^ *```[^\n]*\n[\s\S]*?^ *```/gm, '');
  const spans = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
  return [...blocks.flatMap((block) => block.split('\n')), ...spans].filter((piece) => piece.trim() !== '');
}

/** The cells below `column`, of every table that has one; `\|` is a bar of the text. */
export function columnIn(text: string, column: string): readonly string[] {
  const cells: string[] = [];
  let at = -1;
  for (const line of text.split('\n')) {
    const row = line.startsWith('|') ? line.split(/(?<!\\)\|/).slice(1, -1) : [];
    if (row.length === 0) at = -1;
    else if (at < 0) at = row.findIndex((cell) => cell.trim() === column);
    else if (!/^-+$/.test(row[at]?.trim() ?? '-')) cells.push(row[at]?.trim() ?? '');
  }
  return cells;
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const headings = [...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}
