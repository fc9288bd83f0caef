import t from 'tap';
import { Lanes } from '../../lib/tokens/lanes.ts';

interface Waiter {
  readonly who: string;
  readonly n: number;
}

function filled(...names: string[]): Lanes<Waiter> {
  const lanes = new Lanes<Waiter>();
  for (const [n, who] of names.entries()) lanes.push({ who, n });
  return lanes;
}

function drained(lanes: Lanes<Waiter>): string[] {
  const all: string[] = [];
  for (let next = lanes.next(); next; next = lanes.next()) all.push(`${next.who}${next.n}`);
  return all;
}

t.test('lanes take turns, and within a lane the first comes first', async (t) => {
  t.same(drained(filled('a', 'a', 'a', 'b', 'c', 'b')), ['a0', 'b3', 'c4', 'a1', 'b5', 'a2']);
});

t.test('the agent itself comes when nobody else waits', async (t) => {
  t.same(drained(filled('', '', 'a', 'b', 'a')), ['a2', 'b3', 'a4', '0', '1']);
});

t.test('who leaves takes his place with him, and not the turn of his lane', async (t) => {
  const lanes = new Lanes<Waiter>();
  const [first, second, third] = [0, 1, 2].map((n) => ({ who: 'a', n })) as [Waiter, Waiter, Waiter];
  for (const waiter of [first, second, { who: 'b', n: 9 }, third]) lanes.push(waiter);
  lanes.remove(second);
  lanes.remove(second);
  t.equal(lanes.size, 3);
  t.equal(lanes.lengthOf('a'), 2);
  lanes.remove(first);
  t.same(drained(lanes), ['a2', 'b9']);
  t.equal(lanes.size, 0);
});

t.test('a lane that ran empty begins anew behind the others', async (t) => {
  const lanes = filled('a', 'b', 'c');
  lanes.next();
  lanes.push({ who: 'a', n: 3 });
  t.same(drained(lanes), ['b1', 'c2', 'a3']);
  t.same(lanes.all(), []);
});
