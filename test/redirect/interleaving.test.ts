import t from 'tap';
import { pick, seeded } from '../fakes/random.ts';
import { type Agent, SharedNode, whole } from './agents.ts';
import { ours, rules } from './setup.ts';

/** Two agents' calls of iptables in any order: what must hold in each of many lives. */
const lives = Array.from({ length: 60 }, (_, seed) => seed);

/** What stands, when all is quiet: one owner with all of it, and everybody else stands by; or nothing of ours. */
function wrong(node: SharedNode, alive: readonly Agent[]): string[] {
  const states = alive.map(({ redirect }) => redirect.state());
  const owner = node.owner();
  const keepers = alive.filter((_, i) => !states[i]?.yielded).map(({ owner }) => owner);
  const found: string[] = [...node.breaches];
  if (alive.length === 0) return found;
  if (owner === undefined || keepers.join() !== owner)
    found.push(`owned by ${owner ?? 'nobody'}, kept by ${keepers.join(' and ') || 'nobody'}`);
  const stands = ours(node.fake).join();
  if (!rules.ports.some((port) => stands === whole(owner ?? '', port).join()))
    found.push(`not all of it stands: ${stands}`);
  return found;
}

async function isQuiet(node: SharedNode): Promise<boolean> {
  const before = node.fake.applied.length;
  await node.quiet(20_000);
  return node.fake.applied.length === before;
}

t.test('two that start at once: one owner, all of it, at most three writes', async (t) => {
  const most = { writes: 0 };
  for (const seed of lives) {
    const node = new SharedNode(seeded(seed));
    const agents = [node.start('a1'), node.start('b2')];
    await node.quiet(20_000);
    most.writes = Math.max(most.writes, node.writes.length);
    t.same(wrong(node, agents), [], `seed ${seed}: ${node.writes}`);
    t.ok(node.writes.length <= 3, `seed ${seed}: ${node.writes}`);
    t.ok(await isQuiet(node), `seed ${seed}: nobody writes again`);
  }
  t.ok(most.writes > 1, 'they did meet');
});

t.test('in every order of start, end and death there is one owner in the end, or nothing', async (t) => {
  for (const seed of lives) {
    const random = seeded(1_000 + seed);
    const node = new SharedNode(random);
    const told: string[] = [];
    let alive: Agent[] = [];
    const ends: Promise<unknown>[] = [];
    for (let turn = 0; turn < 6; turn++) {
      const leaving =
        alive.length === 2 || (alive.length === 1 && random() < 0.4)
          ? pick(['end', 'kill'], random)
          : 'start';
      if (leaving === 'start') {
        const agent = node.start(`${turn}a`);
        alive.push(agent);
        told.push(`start ${agent.owner}`);
      } else {
        const agent = alive[Math.floor(random() * alive.length)] as Agent;
        if (leaving === 'end') ends.push(agent.end());
        else agent.kill();
        alive = alive.filter((other) => other !== agent);
        told.push(`${leaving} ${agent.owner}`);
      }
      // From the middle of a look to long after it.
      await node.quiet(pick([0, 50, 500, 5_000], random));
      for (let i = 0; i < 8; i++) await node.step();
    }
    await node.quiet(30_000);
    t.same(wrong(node, alive), [], `seed ${seed}: ${told}: ${node.writes}`);
    t.ok(await isQuiet(node), `seed ${seed}: nobody writes again`);
  }
});
