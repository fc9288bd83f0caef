import t from 'tap';
import { Budget } from '../../lib/metadata/budget.ts';

const rate = { burst: 5, perSecond: 10 };

/** How many of so many requests at this time may be. */
function taken(budget: Budget, address: string, nowMs: number, asked = 100): number {
  return Array.from({ length: asked }, () => budget.take(address, nowMs)).filter(Boolean).length;
}

t.test('takes a burst, then so many a second, and never saves up more than the burst', (t) => {
  const budget = new Budget(rate);
  t.equal(taken(budget, 'a', 0), 5);
  t.equal(taken(budget, 'a', 99), 0);
  t.equal(taken(budget, 'a', 100), 1);
  t.equal(taken(budget, 'a', 400), 3);
  t.equal(taken(budget, 'a', 1_000_000), 5);
  t.end();
});

t.test('who asks at the rate for ever is never refused', (t) => {
  const budget = new Budget(rate);
  for (let nowMs = 0; nowMs < 60_000; nowMs += 100) t.equal(taken(budget, 'a', nowMs, 1), 1);
  t.end();
});

t.test('an address that is refused costs the others nothing, and does not lengthen its own wait', (t) => {
  const budget = new Budget(rate);
  t.equal(taken(budget, 'a', 0, 1_000), 5);
  t.equal(taken(budget, 'b', 0), 5);
  t.equal(taken(budget, 'a', 100), 1);
  t.end();
});

t.test('remembers only addresses that have asked of late', (t) => {
  const budget = new Budget(rate);
  for (let i = 0; i < 10_000; i++) {
    budget.take(`address ${i}`, i * 100);
    if (budget.size > 11) t.fail(`${budget.size} are remembered`);
  }
  t.equal(taken(budget, 'address 9999', 999_900), 4, 'and those well');
  t.end();
});
