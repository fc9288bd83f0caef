import type { FlagTable } from '../../lib/config/flag.ts';
import { nmiFlags } from '../../lib/config/nmi-flags.ts';

const begin = '<!-- flags:begin (scripts/docs writes this table) -->';
const end = '<!-- flags:end -->';

/** The README with the flag table that the code has. Throws when its place is not marked. */
export function withFlagTable(readme: string): string {
  const from = readme.indexOf(begin);
  const to = readme.indexOf(end);
  if (from < 0 || to < from) throw new Error('README.md has no place for the flag table');
  return `${readme.slice(0, from + begin.length)}\n${flagTable(nmiFlags)}${readme.slice(to)}`;
}

function flagTable(table: FlagTable): string {
  const rows = Object.values(table).map(({ flag, env, default: value, help }) => {
    const name = env ? `\`--${flag}\`, \`${env}\`` : `\`--${flag}\``;
    return `| ${name} | ${value === '' || value === undefined ? '–' : `\`${String(value)}\``} | ${help} |`;
  });
  return ['| flag, environment | default | |', '|---|---|---|', ...rows, ''].join('\n');
}
