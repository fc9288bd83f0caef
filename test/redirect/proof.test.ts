import t, { type Test } from 'tap';
import { createLogger } from '../../lib/platform/log.ts';
import type { Listed } from '../../lib/redirect/iptables.ts';
import { createProof } from '../../lib/redirect/proof.ts';
import type { Verdict } from '../../lib/redirect/self-probe.ts';
import { FakeClock } from '../fakes/clock.ts';

const proven: Verdict = { kind: 'proven' };
const disproven: Verdict = { kind: 'disproven', why: 'somebody else answers' };
const unknown: Verdict = { kind: 'unknown', why: 'not permitted' };
const second = 1_000;
const minute = 60 * second;

/** A proof that runs until the test ends, in a world that the test changes. */
function setup(t: Test) {
  const clock = new FakeClock();
  const logged: { level: string; msg: string; why?: string }[] = [];
  const world = {
    verdict: unknown,
    stands: true,
    interfaces: ['lo', 'eth0'],
    nat: { kind: 'no-chain' } as Listed,
    asked: 0,
    /** What happens while a probe is under way. */
    meanwhile: (): void => undefined,
  };
  const proof = createProof({
    clock,
    log: createLogger('json', { to: { write: (line: string) => void logged.push(JSON.parse(line)) } }),
    random: () => 0,
    probe: {
      ask: async () => {
        world.asked++;
        world.meanwhile();
        return world.verdict;
      },
      heard: () => false,
    },
    stands: () => world.stands,
    interfaces: async () => world.interfaces,
    uplink: async () => undefined,
    iptables: () => ({ list: async () => world.nat }),
  });
  const start = async (): Promise<void> => {
    const stop = new AbortController();
    const ran = proof.run(stop.signal);
    t.teardown(async () => {
      stop.abort();
      await ran;
    });
    await clock.advance(0);
  };
  return { clock, logged, world, proof, start };
}

t.test('nothing is a problem before anything was looked at, nor where it cannot be told', async (t) => {
  const { proof, start, logged } = setup(t);
  t.same([proof.problems(), proof.value()], [[], -1]);
  await start();
  t.same([proof.problems(), proof.value()], [[], -1]);
  t.match(logged, [{ level: 'info', why: 'not permitted' }]);
});

t.test('a probe proves, and disproves', async (t) => {
  const { proof, start, world, clock, logged } = setup(t);
  world.verdict = proven;
  await start();
  t.same([proof.problems(), proof.value()], [[], 1]);
  world.verdict = disproven;
  await clock.advance(10 * minute);
  t.same([proof.problems(), proof.value()], [['the redirect does not work: somebody else answers'], 0]);
  t.same(
    logged.map(({ level }) => level),
    ['info', 'warn'],
  );
});

t.test('asks once when the rules stand, after each repair, and every 10 minutes', async (t) => {
  const { proof, start, world, clock } = setup(t);
  world.stands = false;
  world.verdict = proven;
  await start();
  await clock.advance(minute);
  t.equal(world.asked, 0, 'no question while nothing stands');
  world.stands = true;
  await clock.advance(second);
  t.equal(world.asked, 1);
  await clock.advance(9 * minute);
  t.equal(world.asked, 1);
  await clock.advance(minute);
  t.equal(world.asked, 2);
  await clock.advance(minute);
  proof.redo();
  await clock.advance(second);
  t.equal(world.asked, 3);
});

t.test('repairs without end do not make probes without end', async (t) => {
  const { proof, start, world, clock } = setup(t);
  await start();
  for (let i = 0; i < 60; i++) {
    proof.redo();
    await clock.advance(second);
  }
  t.equal(world.asked, 5, '15 s apart');
});

t.test('asks every minute while something is wrong', async (t) => {
  const { start, world, clock } = setup(t);
  world.verdict = disproven;
  await start();
  await clock.advance(3 * minute);
  t.equal(world.asked, 4);
});

t.test('asks again soon when the next answer may be another', async (t) => {
  const { start, world, clock } = setup(t);
  world.verdict = { ...unknown, again: true };
  await start();
  await clock.advance(minute);
  t.equal(world.asked, 2);
});

for (const [what, happen] of [
  ['were repaired', ({ proof }: ReturnType<typeof setup>) => proof.redo()],
  ['fell', ({ world }: ReturnType<typeof setup>) => Object.assign(world, { stands: false })],
] as const) {
  t.test(`an answer does not count when the rules ${what} while it was waited for`, async (t) => {
    const all = setup(t);
    const { proof, start, world, clock } = all;
    world.verdict = disproven;
    world.meanwhile = () => happen(all);
    await start();
    t.same(proof.problems(), []);
    world.stands = true;
    world.verdict = proven;
    world.meanwhile = () => undefined;
    await clock.advance(15 * second);
    t.equal(proof.value(), 1);
  });
}

t.test('what cannot be told takes no disproof back, except after a repair', async (t) => {
  const { proof, start, world, clock } = setup(t);
  world.verdict = disproven;
  await start();
  world.verdict = unknown;
  await clock.advance(5 * minute);
  t.equal(proof.value(), 0);
  proof.redo();
  await clock.advance(15 * second);
  t.same([proof.problems(), proof.value()], [[], -1]);
});

t.test('a pod that arrived outweighs what was found before it, not what is found after', async (t) => {
  const { proof, start, world, clock } = setup(t);
  proof.seen();
  t.equal(proof.value(), 1);
  await clock.advance(second);
  world.verdict = disproven;
  await start();
  t.equal(proof.value(), 0);
  await clock.advance(second);
  proof.seen();
  t.same([proof.problems(), proof.value()], [[], 1]);
});

t.test('Cilium past iptables is a problem until a pod has arrived, whatever a probe says', async (t) => {
  const { proof, start, world, clock } = setup(t);
  world.interfaces = ['lo', 'eth0', 'cilium_host'];
  world.verdict = proven;
  await start();
  t.match(proof.problems(), [/^Cilium is on this node \(cilium_host\)/]);
  t.equal(proof.value(), 0);
  await clock.advance(second);
  proof.seen();
  t.same([proof.problems(), proof.value()], [[], 1]);
  await clock.advance(20 * minute);
  t.same(proof.problems(), [], 'and is none any more');
});

t.test('a pod that arrived before Cilium came proves nothing of it', async (t) => {
  const { proof, start, world, clock } = setup(t);
  await start();
  proof.seen();
  world.interfaces = ['lo', 'eth0', 'cilium_host'];
  await clock.advance(10 * minute);
  t.equal(proof.problems().length, 1);
});

t.test(
  'a suspicion ends where masquerading by iptables shows, and stays where nothing can be told',
  async (t) => {
    const { proof, start, world, clock } = setup(t);
    world.interfaces = ['lo', 'eth0', 'cilium_host'];
    await start();
    world.nat = { kind: 'unknown', why: 'lock', passing: true };
    await clock.advance(minute);
    t.equal(proof.problems().length, 1);
    world.nat = { kind: 'lines', lines: ['-N KUBE-SERVICES', '-A KUBE-SERVICES -j KUBE-NODEPORTS'] };
    await clock.advance(minute);
    t.same(proof.problems(), []);
  },
);

t.test('tells once what stays the same', async (t) => {
  const { start, clock, logged } = setup(t);
  await start();
  await clock.advance(30 * minute);
  t.equal(logged.length, 1);
});
