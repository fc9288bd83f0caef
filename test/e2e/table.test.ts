import t from 'tap';
import { tableOf } from './table.ts';

t.test('shows each scenario with its time, says why one failed, and ends with the totals', async (t) => {
  const rows = [
    { name: 'one', ms: 1_234, breaches: [] },
    { name: 'another', ms: 61_000, breaches: ['why\nand how', 'more'] },
  ];
  t.equal(
    tableOf(rows),
    [
      'ok        1.2 s  one',
      'FAILED   61.0 s  another',
      '',
      'FAILED: another',
      '  why',
      '  and how',
      '  more',
      '',
      '1 passed, 1 failed',
    ].join('\n'),
  );
});
