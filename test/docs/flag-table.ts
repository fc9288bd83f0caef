import { type FlagTable, shownDefault } from '../../lib/config/flag.ts';
import { nmiFlags } from '../../lib/config/nmi-flags.ts';

/** The README with the flag table that the code has. Throws when its place is not marked. */
export function withFlagTable(readme: string): string {
  return withTable(readme, 'flags', flagTable(nmiFlags));
}

/** A page with this table in the place that is marked for it. Throws when there is none. */
export function withTable(page: string, name: string, table: string): string {
  const begin = `<!-- ${name}:begin (scripts/docs writes this table) -->`;
  const end = `<!-- ${name}:end -->`;
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the page has no place for the table ${name}`);
  return `${page.slice(0, from + begin.length)}\n${table}${page.slice(to)}`;
}

export function flagTable(table: FlagTable): string {
  const rows = Object.values(table).map((spec) => {
    const name = spec.env ? `\`--${spec.flag}\`, \`${spec.env}\`` : `\`--${spec.flag}\``;
    const value = shownDefault(spec);
    return `| ${name} | ${value === '' ? '–' : `\`${value}\``} | ${spec.help} |`;
  });
  return ['| flag, environment | default | |', '|---|---|---|', ...rows, ''].join('\n');
}
