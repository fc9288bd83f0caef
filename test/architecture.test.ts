import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { doors, environment, output, programs, size, time } from './architecture/doors.ts';
import { type Facts, factsOf } from './architecture/facts.ts';
import { importTable, impure, pure, purity } from './architecture/imports.ts';

const root = join(import.meta.dirname, '..');

/** Every source file of the repository. */
const files: readonly Facts[] = globSync('{lib,bin,test,scripts}/**/*.ts', { cwd: root })
  .sort()
  .map((path) => factsOf(path, readFileSync(join(root, path), 'utf8')));

const rules = [importTable, purity, programs, time, environment, output, size];

for (const { promise, reason, breaches, broken, sound } of rules) {
  t.test(promise, async (t) => {
    t.same(files.flatMap(breaches), [], `because ${reason}`);
  });

  t.test(`would be seen broken: ${promise}`, async (t) => {
    for (const [path, text] of broken)
      t.ok(breaches(factsOf(path, text)).length > 0, `${path}: ${first(text)}`);
    for (const [path, text] of sound)
      t.same(breaches(factsOf(path, text)), [], `sound: ${path}: ${first(text)}`);
  });
}

t.test('the rules speak of what is there', async (t) => {
  const paths = files.map(({ path }) => path);
  for (const name of [...pure, ...impure])
    t.ok(
      paths.some((path) => path.startsWith(name)),
      `${name} is there`,
    );
  const factsAt = (path: string): Facts | undefined => files.find((file) => file.path === path);
  const names = (mentions: Facts['uses'] | undefined): string[] => (mentions ?? []).map(({ name }) => name);
  t.ok(names(factsAt(doors.exec)?.imports).includes('node:child_process'));
  for (const name of ['Date.now', 'performance.now', 'setTimeout'])
    t.ok(names(factsAt(doors.clock)?.uses).includes(name), `${doors.clock} uses ${name}`);
  const bin = files.filter(({ path }) => path.startsWith('bin/')).flatMap(({ uses }) => names(uses));
  for (const name of ['process.env', 'process.exit']) t.ok(bin.includes(name), `bin uses ${name}`);
});

t.test('facts tell imports and uses apart from what only looks like them', async (t) => {
  const text = `
import type { A } from './a.ts';
export * from '../b.ts';
// import '../comment.ts'
const text = "import '../string.ts'; Date.now()";
const options = { Date: 1, process: text };
options.Date;
globalThis.performance?.now();
await import(name);
`;
  const { imports, uses, lines } = factsOf('lib/x/y.ts', text);
  t.strictSame(imports, [
    { name: 'lib/x/a.ts', line: 2 },
    { name: 'lib/b.ts', line: 3 },
    { name: 'name', line: 9 },
  ]);
  t.same(
    uses.map(({ name }) => name),
    ['text', 'options.Date', 'performance.now', 'name'],
  );
  t.equal(lines, 9);
});

function first(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
