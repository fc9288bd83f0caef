import t from 'tap';
import { Repeats } from '../../lib/metadata/repeats.ts';

t.test('tells the first at once, then once a second how many there were', (t) => {
  const repeats = new Repeats();
  t.same(
    [0, 1, 500, 999, 1_000, 1_001, 2_500, 60_000].map((nowMs) => repeats.told('a', nowMs)),
    [1, 0, 0, 0, 4, 0, 2, 1],
  );
  t.equal(repeats.told('b', 60_000), 1, 'each thing by itself');
  t.end();
});
