import { commonFlags } from '../../lib/cli/arguments.ts';
import { verbs } from '../../lib/cli/verbs.ts';
import type { FlagTable } from '../../lib/config/flag.ts';
import { klogFlags } from '../../lib/config/klog-flags.ts';
import { micFlags } from '../../lib/config/mic-flags.ts';
import { nmiFlags } from '../../lib/config/nmi-flags.ts';
import { demoFlags } from '../../lib/demo/flags.ts';
import { validatorFlags } from '../../lib/identityvalidator/flags.ts';
import { fieldTable } from './crds.ts';
import { flagTable, withTable } from './flag-table.ts';
import { labelValues } from './known.ts';
import { type Declared, micMetrics, nmiMetrics } from './series.ts';

/** The tables that scripts/docs writes from the code, by page and name. */
const tables: Readonly<Record<string, Readonly<Record<string, () => string>>>> = {
  'docs/flags.md': {
    nmi: () => flagTable(without(nmiFlags, klogFlags)),
    mic: () => flagTable(without(micFlags, klogFlags)),
    demo: () => flagTable(without(demoFlags, klogFlags)),
    identityvalidator: () => flagTable(without(validatorFlags, klogFlags)),
    klog: () =>
      `${Object.values(klogFlags)
        .map(({ flag }) => `\`--${flag}\``)
        .join(', ')}\n`,
  },
  'docs/podid.md': { verbs: verbSections, common: () => flagTable(commonFlags) },
  'docs/objects.md': {
    identity: () => fieldTable('AzureIdentity'),
    binding: () => fieldTable('AzureIdentityBinding'),
    exception: () => fieldTable('AzurePodIdentityException'),
  },
  'docs/metrics.md': {
    nmi: () => metricTable(nmiMetrics),
    mic: () => metricTable(micMetrics),
    values: valueTable,
  },
};

export const writtenPages: readonly string[] = Object.keys(tables);

/** The page with its tables as the code has them. Throws when one has no place in it. */
export function withTables(page: string, text: string): string {
  return Object.entries(tables[page] ?? {}).reduce((all, [name, make]) => withTable(all, name, make()), text);
}

/** The rows that `others` has not, or tells otherwise. Of klog's, which do nothing, the page tells in one sentence. */
function without(table: FlagTable, others: FlagTable): FlagTable {
  return Object.fromEntries(Object.entries(table).filter(([key, spec]) => others[key] !== spec));
}

/** podid's verbs, each with its examples, what it says of itself, and its own flags. */
function verbSections(): string {
  const sections = verbs.map(({ name, words, summary, about, flags }) => {
    const own = without(flags, commonFlags);
    const rows = Object.keys(own).length === 0 ? '' : `\n${flagTable(own)}`;
    const usage = ['podid', name, words].filter(Boolean).join(' ');
    return `## ${name}\n\n\`${usage}\`: ${summary}.\n\n\`\`\`text\n${about.trim()}\n\`\`\`\n${rows}`;
  });
  return `${sections.join('\n')}\n`;
}

function metricTable(metrics: readonly Declared[]): string {
  const rows = metrics
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, type, help, labels }) => {
      const shown = labels.map((label) => `\`${label}\``).join(', ') || '–';
      return `| \`${name}\` | ${type} | ${shown} | ${help} |`;
    });
  return ['| metric | type | labels | |', '|---|---|---|---|', ...rows, ''].join('\n');
}

function valueTable(): string {
  const rows = Object.entries(labelValues).flatMap(([metric, labels]) =>
    Object.entries(labels).map(
      ([label, values]) => `| \`${metric}\` | \`${label}\` | ${values.join(', ')} |`,
    ),
  );
  return ['| metric | label | values |', '|---|---|---|', ...rows, ''].join('\n');
}
