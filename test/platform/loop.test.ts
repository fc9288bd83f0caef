import t, { type Test } from 'tap';
import { Loop, type LoopOptions } from '../../lib/platform/loop.ts';
import { FakeClock } from '../fakes/clock.ts';

interface Bench {
  readonly clock: FakeClock;
  readonly loop: Loop;
  /** When each run began, ms after the first. */
  readonly starts: number[];
  readonly errors: unknown[];
  readonly running: Promise<void>;
  stop(): void;
}

/** A running loop: every 1,000 ms, 200 after a failure, never closer than 100. */
function start(test: Test, work: () => Promise<void>, options: Partial<LoopOptions> = {}): Bench {
  const clock = new FakeClock();
  const starts: number[] = [];
  const errors: unknown[] = [];
  const end = new AbortController();
  const loop = new Loop(
    async () => {
      starts.push(clock.monotonic());
      await work();
    },
    {
      clock,
      everyMs: 1000,
      retryMs: 200,
      minMs: 100,
      random: () => 0,
      onError: (error) => errors.push(error),
      ...options,
    },
  );
  const running = loop.run(end.signal);
  const stop = (): void => end.abort();
  test.teardown(stop);
  return { clock, loop, starts, errors, running, stop };
}

const idle = async (): Promise<void> => undefined;

t.test('works at once, and then at every interval', async (t) => {
  const { clock, starts } = start(t, idle);
  await clock.advance(2999);
  t.same(starts, [0, 1000, 2000]);
});

t.test('works again when it is asked to', async (t) => {
  const { clock, loop, starts } = start(t, idle);
  await clock.advance(400);
  loop.trigger();
  await clock.advance(0);
  t.same(starts, [0, 400]);
  await clock.advance(1000);
  t.same(starts, [0, 400, 1400], 'and counts its interval from there');
});

t.test('never starts sooner than the least pause, and makes one of all that asked meanwhile', async (t) => {
  const { clock, loop, starts } = start(t, idle);
  await clock.advance(10);
  for (let i = 0; i < 5; i++) loop.trigger();
  await clock.advance(40);
  for (let i = 0; i < 5; i++) loop.trigger();
  await clock.advance(900);
  t.same(starts, [0, 100]);
});

t.test('works once more for what was asked while it worked', async (t) => {
  const gates: (() => void)[] = [];
  const { clock, loop, starts } = start(t, () => new Promise((resolve) => void gates.push(resolve)));
  await clock.advance(300);
  for (let i = 0; i < 3; i++) loop.trigger();
  await clock.advance(300);
  t.same(starts, [0], 'never two at a time');
  gates[0]?.();
  await clock.advance(0);
  t.same(starts, [0, 600]);
  gates[1]?.();
  await clock.advance(999);
  t.same(starts, [0, 600], 'one for all three');
});

t.test('tries again sooner after a failure, and goes on', async (t) => {
  let failures = 2;
  const broken = new Error('broken');
  const { clock, starts, errors } = start(t, async () => {
    if (failures-- > 0) throw broken;
  });
  await clock.advance(1500);
  t.same(starts, [0, 200, 400, 1400]);
  t.strictSame(errors, [broken, broken]);
});

t.test('spreads its pauses by up to a tenth', async (t) => {
  const draws = [0, 0.5, 1];
  const { clock, starts } = start(t, idle, { random: () => draws.shift() ?? 0 });
  await clock.advance(2850);
  t.same(starts, [0, 1000, 1950, 2850]);
});

t.test('ends at once when it is told to while it rests', async (t) => {
  const { clock, running, starts, stop } = start(t, idle);
  await clock.advance(500);
  stop();
  await running;
  t.equal(clock.waiting, 0, 'no timer is left');
  await clock.advance(5000);
  t.same(starts, [0]);
});

t.test('ends at once when it is told to while it holds back a run', async (t) => {
  const { clock, loop, running, starts, stop } = start(t, idle);
  await clock.advance(10);
  loop.trigger();
  await clock.advance(10);
  stop();
  await running;
  t.same(starts, [0]);
  t.equal(clock.waiting, 0);
});

t.test('lets a run that is under way end before it ends itself', async (t) => {
  const gates: (() => void)[] = [];
  const { clock, running, stop } = start(t, () => new Promise((resolve) => void gates.push(resolve)));
  await clock.advance(10);
  let ended = false;
  void running.then(() => {
    ended = true;
  });
  stop();
  await clock.advance(10);
  t.notOk(ended);
  gates[0]?.();
  await running;
  t.equal(clock.waiting, 0);
});

t.test('does nothing when it was told to end before it began', async (t) => {
  let runs = 0;
  const loop = new Loop(
    async () => {
      runs += 1;
    },
    { clock: new FakeClock(), everyMs: 1, retryMs: 1, minMs: 1, random: () => 0, onError: () => undefined },
  );
  await loop.run(AbortSignal.abort());
  t.equal(runs, 0);
});
