import { readFileSync, writeFileSync } from 'node:fs';
import { withFlagTable } from '../test/docs/flag-table.ts';

/** Writes what is generated in README.md: the flag table, from the code's. */
const readme = new URL('../README.md', import.meta.url);
writeFileSync(readme, withFlagTable(readFileSync(readme, 'utf8')));
