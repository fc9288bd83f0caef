import t from 'tap';
import { Turns } from '../../lib/kube/turns.ts';
import { FakeClock, settle } from '../fakes/clock.ts';

const { signal } = new AbortController();

/** Requests that note their start, and end when they are told to. */
class Rig {
  readonly clock = new FakeClock();
  readonly started: string[] = [];
  readonly turns: Turns;
  readonly #ends = new Map<string, () => void>();

  constructor(qps: number, perLane: number) {
    this.turns = new Turns({ clock: this.clock, qps, perLane });
  }

  ask(lane: string, name: string, until = signal): Promise<string> {
    const work = (): Promise<string> => {
      this.started.push(name);
      return new Promise((resolve) => this.#ends.set(name, () => resolve(name)));
    };
    return this.turns.run(lane, work, until);
  }

  async end(...names: readonly string[]): Promise<void> {
    for (const name of names) this.#ends.get(name)?.();
    await settle();
  }
}

t.test('so many at once after a pause, then so many a second', async (t) => {
  const rig = new Rig(5, 100);
  for (let i = 0; i < 20; i++) void rig.ask('a', `${i}`);
  t.equal(rig.started.length, 5);
  await rig.clock.advance(1_000);
  t.equal(rig.started.length, 10);
  await rig.clock.advance(199);
  t.equal(rig.started.length, 10);
  await rig.clock.advance(1);
  t.equal(rig.started.length, 11);
  await rig.clock.advance(60_000);
  t.equal(rig.started.length, 20);
  for (let i = 20; i < 40; i++) void rig.ask('a', `${i}`);
  t.equal(rig.started.length, 25, 'a long pause earns no more than one second of it');
});

t.test('goes slower than one a second, too', async (t) => {
  const rig = new Rig(0.5, 1);
  for (const name of ['a', 'b']) void rig.ask(name, name);
  t.strictSame(rig.started, ['a']);
  await rig.clock.advance(1_999);
  t.strictSame(rig.started, ['a']);
  await rig.clock.advance(1);
  t.strictSame(rig.started, ['a', 'b']);
});

t.test('lanes take turns, so that a long one holds up none', async (t) => {
  const rig = new Rig(1, 100);
  for (const name of ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1']) void rig.ask(name.slice(0, 1), name);
  await rig.clock.advance(10_000);
  t.strictSame(rig.started, ['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']);
});

t.test(
  'no lane has more under way than it may, and all together no more than the connections allow',
  async (t) => {
    const rig = new Rig(1_000, 2);
    for (const name of ['a1', 'a2', 'a3', 'b1']) void rig.ask(name.slice(0, 1), name);
    t.strictSame(rig.started, ['a1', 'a2', 'b1']);
    await rig.end('b1');
    t.equal(rig.started.length, 3);
    await rig.end('a1');
    t.strictSame(rig.started, ['a1', 'a2', 'b1', 'a3']);
    for (let i = 0; i < 100; i++) void rig.ask(`lane ${i}`, `${i}`);
    t.equal(rig.started.length, 2 + 40);
  },
);

t.test('gives what the work gives, its failure, too, and goes on', async (t) => {
  const { turns } = new Rig(10, 1);
  t.equal(await turns.run('a', async () => 7, signal), 7);
  await t.rejects(
    turns.run('a', () => Promise.reject(new Error('no')), signal),
    { message: 'no' },
  );
  t.equal(await turns.run('a', async () => 8, signal), 8);
});

t.test('who leaves the line is not served, and takes nobody else with him', async (t) => {
  const rig = new Rig(1, 100);
  const gone = new AbortController();
  void rig.ask('a', 'first');
  const left = rig.ask('a', 'left', gone.signal);
  void rig.ask('a', 'last');
  gone.abort(new Error('enough'));
  await t.rejects(left, { message: 'enough' });
  await t.rejects(rig.ask('a', 'late', gone.signal), { message: 'enough' });
  await rig.clock.advance(10_000);
  t.strictSame(rig.started, ['first', 'last']);
});
