import t from 'tap';
import { duration, number } from '../../lib/config/types.ts';

t.test("reads Go's durations", async (t) => {
  const { parse } = duration(0, 1e9);
  const table: readonly (readonly [text: string, ms: number])[] = [
    ['0', 0],
    ['0s', 0],
    ['15s', 15_000],
    ['3m', 180_000],
    ['1h30m', 5_400_000],
    ['1h', 3_600_000],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['2.s', 2_000],
    ['300ms', 300],
    ['1m500ms', 60_500],
    ['2000us', 2],
    ['2000µs', 2],
    ['3000000ns', 3],
  ];
  for (const [text, ms] of table) t.equal(parse(text), ms, text);
});

t.test('refuses what Go refuses, and what is negative or out of range', async (t) => {
  const { parse, expects } = duration(1_000, 60_000);
  for (const text of ['', '15', 's', '-5s', '+5s', '5 s', '5S', '1d', '5s5', '.s', '1e3s', '5s ', 'NaNs'])
    t.equal(parse(text), undefined, text);
  for (const text of ['0', '999ms', '61s', '99999h']) t.equal(parse(text), undefined, text);
  t.equal(parse('1m'), 60_000);
  t.equal(expects, 'a duration from 1s to 1m, like 15s, 3m or 1h30m');
});

t.test('reads decimal numbers in a closed range', async (t) => {
  const { parse } = number(0.1, 100);
  for (const [text, value] of [
    ['5', 5],
    ['0.1', 0.1],
    ['2.25', 2.25],
    ['100', 100],
  ] as const)
    t.equal(parse(text), value);
  for (const text of ['', '0', '0.05', '100.1', '-5', '1e1', '.5', '5.', 'five'])
    t.equal(parse(text), undefined);
});
