import t from 'tap';
import { play } from './play.ts';
import type { Scenario, Stage } from './stage.ts';

/** `asked`: the User-Agents that IMDS hears in each scenario; no cluster answers a diagnosis. */
function stageOf(asked: string[][]): Stage {
  const requests = (): object[] =>
    (asked[0] ?? []).map((userAgent) => ({ userAgent, method: 'GET', target: '/', remoteAddress: 'node' }));
  const imds = {
    log: async () => ({ requests: requests() }),
    clear: async () => void asked.shift(),
  };
  const show = async (): Promise<never> => Promise.reject(new Error('no cluster'));
  return { imds, kubectl: { show } } as unknown as Stage;
}

const good = (name: string): Scenario => ({ name, run: async () => undefined });
const bad = (name: string, more: Partial<Scenario> = {}): Scenario => ({
  ...{ name, run: async () => Promise.reject(new Error('why', { cause: new Error('cause') })) },
  ...more,
});
const quiet = { signal: new AbortController().signal, tell: () => undefined };

t.test('goes on after one that failed, and says why it did', async (t) => {
  const rows = await play([good('one'), bad('two'), good('three')], stageOf([]), quiet);
  t.same(
    rows.map(({ name, breaches }) => [name, breaches]),
    [
      ['one', []],
      ['two', ['why: cause']],
      ['three', []],
    ],
  );
});

t.test('ends with one that the others need', async (t) => {
  const rows = await play([bad('one', { decisive: true }), good('two')], stageOf([]), quiet);
  t.equal(rows.length, 1);
});

t.test('a pod that passes by breaks the scenario in which it does, and no other', async (t) => {
  const asked = [['pod-identity/NMI/1'], ['pod-identity/NMI/1', 'e2e-pod/x'], []];
  const rows = await play([good('one'), good('two'), good('three')], stageOf(asked), quiet);
  t.match(
    rows.map(({ breaches }) => breaches),
    [[], [/^e2e-pod\/x passed by/], []],
  );
  t.equal(rows[1]?.breaches.length, 1);
});

t.test('ends when it is told to', async (t) => {
  const ending = new AbortController();
  const endless: Scenario = {
    name: 'endless',
    run: () => new Promise(() => ending.abort(new Error('SIGINT'))),
  };
  const told = { ...quiet, signal: ending.signal };
  const rows = await play([endless, good('next')], stageOf([]), told);
  t.same(
    rows.map(({ breaches }) => breaches),
    [['SIGINT']],
  );
});
