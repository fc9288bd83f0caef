import { clean } from '../../model/text.ts';
import { exit } from '../exit.ts';
import type { Report } from '../report.ts';
import type { Style } from '../style.ts';
import type { Manifest } from './manifest.ts';
import { type Difference, type PutResult, titleOf } from './store.ts';

/** What was made, and what comes next. `next` are lines for people who got what they asked for. */
export function appliedReport(results: readonly PutResult[], next: readonly string[]): Report {
  const differs = results.some(({ put }) => put === 'differs');
  const hints = differs ? ['--overwrite makes it as asked; nothing of it was changed.'] : next;
  return {
    status: differs ? exit.no : exit.ok,
    data: {
      objects: results.map(({ manifest: { kind, metadata }, put, differences }) => ({
        kind,
        ...metadata,
        result: put,
        ...(differences.length > 0 && { differences }),
      })),
    },
    text: (style) => [...results.map((each) => lines(each, style)), ...hintLines(hints, style)].join(''),
  };
}

/** The objects themselves, for `kubectl apply -f -`; one alone, or several as a List. */
export function dryRunReport(manifests: readonly Manifest[]): Report {
  const [first, ...others] = manifests;
  return {
    status: exit.ok,
    data: others.length === 0 ? first : { apiVersion: 'v1', kind: 'List', items: manifests },
    text: () => manifests.map((each) => `${titleOf(each)} not made (dry run); -o yaml shows it\n`).join(''),
  };
}

function lines({ manifest, put, differences }: PutResult, style: Style): string {
  const { good, bad, dim } = style;
  const words = {
    created: good('created'),
    changed: good('changed'),
    unchanged: dim('unchanged'),
    differs: bad('is there and says something else'),
  };
  const title = `${titleOf(manifest)} ${words[put]}\n`;
  return title + differences.map((each) => `  ${told(each, put)}\n`).join('');
}

function told({ field, is, asked }: Difference, put: PutResult['put']): string {
  if (put === 'changed') return `${field}: ${shown(is)} → ${shown(asked)}`;
  return `${field}: ${shown(is)} is there, ${shown(asked)} was asked for`;
}

function shown(value: unknown): string {
  return value === undefined || value === '' ? 'nothing' : clean(JSON.stringify(value));
}

function hintLines(hints: readonly string[], { dim }: Style): string[] {
  return hints.length === 0 ? [] : ['\n', ...hints.map((hint) => `${dim(hint)}\n`)];
}
