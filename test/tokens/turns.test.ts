import t from 'tap';
import type { Leave } from '../../lib/model/turn.ts';
import { Turns } from '../../lib/tokens/turns.ts';
import { FakeClock, settle } from '../fakes/clock.ts';
import { failureOf } from '../fakes/failure.ts';

const open = new AbortController().signal;

/** A queue of `most` places; `ask` notes who got in, and hands out how to leave. */
function start(most: number) {
  const clock = new FakeClock();
  const turns = new Turns(clock, most);
  const inside: string[] = [];
  const leaves: Leave[] = [];
  const ask = async (who: string, signal = open, until = 5_000): Promise<void> => {
    leaves.push(await turns.enter({ who, until }, signal));
    inside.push(who);
  };
  return { clock, inside, leaves, ask };
}

t.test('lets so many in at once, and the next when one leaves, once', async (t) => {
  const { inside, leaves, ask } = start(2);
  for (const who of ['a', 'b', 'c', 'd']) void ask(who);
  await settle();
  t.same(inside, ['a', 'b']);
  leaves[0]?.('unused');
  leaves[0]?.('unused');
  await settle();
  t.same(inside, ['a', 'b', 'c']);
});

t.test('pods take turns, however many fetches one of them wants', async (t) => {
  const { inside, leaves, ask } = start(1);
  for (const who of ['greedy', 'greedy', 'greedy', 'modest']) void ask(who);
  for (let i = 0; i < 4; i += 1) {
    await settle();
    leaves[i]?.('unanswered');
  }
  t.same(inside, ['greedy', 'greedy', 'modest', 'greedy']);
});

t.test('sends away who waited too long, who left, and who wants too much', async (t) => {
  const { clock, inside, leaves, ask } = start(1);
  void ask('first');
  await settle();
  const late = failureOf(() => ask('late', open, 1_000));
  const end = new AbortController();
  const gone = failureOf(() => ask('gone', end.signal));
  const reason = new Error('gone');
  end.abort(reason);
  t.equal(await gone, reason);
  t.equal(await failureOf(() => ask('gone', end.signal)), reason, 'also before it stands in line');
  await clock.advance(1_000);
  t.match(await late, { code: 'entra-busy', answer: { status: 429, retryAfter: '1' } });
  const many = Array.from({ length: 64 }, () => ask('greedy').catch(() => undefined));
  t.match(await failureOf(() => ask('greedy')), { code: 'entra-busy' });
  leaves[0]?.('unused');
  await settle();
  t.same(inside, ['first', 'greedy']);
  await clock.advance(5_000);
  leaves[1]?.('unused');
  await Promise.all(many);
  t.equal(clock.waiting, 0);
});
