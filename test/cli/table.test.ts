import t from 'tap';
import { colourStyle } from '../../lib/cli/style.ts';
import { table } from '../../lib/cli/table.ts';

t.test('columns are as wide as their widest cell, colours not counted', async (t) => {
  const rows = [
    ['a', { text: 'no', mark: 'bad' }, 'why'],
    ['long', { text: 'yes', mark: 'good' }, ''],
  ] as const;
  const plain = 'NAME   READY   WHY\na      no      why\nlong   yes     -\n';
  t.equal(table(['NAME', 'READY', 'WHY'], rows), plain);
  const coloured = table(['NAME', 'READY', 'WHY'], rows, colourStyle);
  t.match(coloured, '\x1b[31mno\x1b[39m      why');
  t.equal(coloured.replaceAll(/\x1b\[\d+m/g, ''), plain);
});

t.test('nothing that others wrote reaches the terminal as more than text', async (t) => {
  t.equal(table(['A', 'B'], [['x\x1b[2J\n', 'y\u202e']]), 'A        B\nx?[2J?   y?\n');
});

t.test('one long cell, or a hundred thousand rows, cost no more than themselves', async (t) => {
  const long = table(
    ['A', 'B'],
    [['x'.repeat(1_000_000), 'y'], ...Array.from({ length: 400 }, () => ['a', 'b'])],
  );
  t.ok(long.length < 400 * 500);
  t.equal(
    table(
      ['A'],
      Array.from({ length: 150_000 }, () => ['a']),
    ).length,
    300_002,
  );
});
