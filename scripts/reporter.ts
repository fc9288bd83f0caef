import { relative } from 'node:path';
import type { TestEvent } from 'node:test/reporters';
import { inspect, stripVTControlCharacters } from 'node:util';

type Result = Extract<TestEvent, { type: 'test:pass' | 'test:fail' }>['data'];
type Totals = { passed: number; failed: number; skipped: number };

/**
 * Reporter of `node --test`: one line per file, what failed, was skipped or was measured, and `N passed, N failed` last. tap announces
 * every assertion as a leaf and every test as a suite; a test counts once, whatever the number of its assertions.
 */
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const totals: Totals = { passed: 0, failed: 0, skipped: 0 };
  const files = new Set<string>();
  for await (const event of events) {
    if (event.type === 'test:stderr' || event.type === 'test:stdout') yield event.data.message;
    if (event.type === 'test:diagnostic') yield* told(event.data);
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue;
    const file = fileOf(event.data);
    if (!files.has(file)) yield `${file}\n`;
    files.add(file);
    yield* result(event, totals);
  }
  if (totals.skipped > 0) yield `${totals.skipped} skipped\n`;
  yield `${totals.passed} passed, ${totals.failed} failed\n`;
}

/** What a test has measured; the runner's own counts have no file. */
function* told(data: Extract<TestEvent, { type: 'test:diagnostic' }>['data']): Generator<string> {
  if ((data as { entryFile?: string }).entryFile !== undefined) yield `  ${data.message}\n`;
}

function* result(
  event: Extract<TestEvent, { type: 'test:pass' | 'test:fail' }>,
  totals: Totals,
): Generator<string> {
  const { name, nesting, skip, details } = event.data;
  const isTest = details.type === 'suite' || nesting === 0;
  if (skip !== undefined && skip !== false) {
    totals.skipped += 1;
    yield `  skipped: ${name}${typeof skip === 'string' ? ` (${skip})` : ''}\n`;
  } else if (event.type === 'test:pass') {
    if (isTest) totals.passed += 1;
  } else {
    if (isTest) totals.failed += 1;
    yield isTest ? `  FAILED: ${name}\n` : `    ${name}${where(event.data)}\n${explain(event.data)}`;
  }
}

function fileOf(data: Result): string {
  const { entryFile, file } = data as Result & { entryFile?: string };
  return relative(process.cwd(), entryFile ?? file ?? data.name);
}

function where({ file, line }: Result): string {
  return file && line ? ` (${relative(process.cwd(), file)}:${line})` : '';
}

/** tap's diff is in the text of the cause, in colours. */
function explain(data: Result): string {
  const cause = (data.details as { error?: { cause?: unknown } }).error?.cause;
  if (cause === undefined) return '';
  const text = typeof cause === 'string' ? cause : stripVTControlCharacters(inspect(cause));
  return `${text.replaceAll(/ +$/gm, '').replaceAll(/^/gm, '      ')}\n`;
}
