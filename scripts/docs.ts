import { readFileSync, writeFileSync } from 'node:fs';
import { withFlagTable } from '../test/docs/flag-table.ts';
import { withTables, writtenPages } from '../test/docs/tables.ts';

/** Writes what is generated in README.md and docs/: tables of the code's flags and metrics. */
const rewrite = (page: string, written: (text: string) => string): void => {
  const file = new URL(`../${page}`, import.meta.url);
  writeFileSync(file, written(readFileSync(file, 'utf8')));
};
rewrite('README.md', withFlagTable);
for (const page of writtenPages) rewrite(page, (text) => withTables(page, text));
