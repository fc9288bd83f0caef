import { setTimeout as sleep } from 'node:timers/promises';
import type { Agent } from '../../lab/agent.ts';
import { eventually } from '../../lab/eventually.ts';
import { ourRules } from '../../lab/nmi/scene.ts';
import { type Damage, damage, damages } from '../../netns/damage.ts';
import { onNode } from './cost.ts';
import { type Place, setForeign } from './place.ts';

/** The agent's own pace, ms: a damage comes at any moment between two looks. */
const pace = { nft: 1_500, legacy: 5_000 } as const;
/** Both guards, since some damages take both tables. The pace does not depend on it. */
const flags = { guard: 'both' };

/** How long each damage stood, ms, by its name; each done `runs` times, against a real agent. */
export async function measureHealing(place: Place, runs: number): Promise<Record<string, number[]>> {
  const healed: Record<string, number[]> = {};
  let agent = await startAgent(place);
  for (let run = 0; run < runs; run++) {
    for (const one of damages) {
      // What comes in front again and again is put right ever more rarely: that is a quarrel, not a damage.
      if (one.rival) agent = await startAgent(place, agent);
      await setForeign(place);
      const ms = await heal(place, agent, one);
      healed[one.name] = [...(healed[one.name] ?? []), ms];
    }
  }
  await agent.stop('SIGKILL');
  return healed;
}

async function startAgent({ lab, backend }: Place, predecessor?: Agent): Promise<Agent> {
  await predecessor?.stop('SIGKILL');
  const agent = lab.startAgent({ backend, flags });
  await agent.ready();
  return agent;
}

/** From the end of the program that did the damage to the agent's own word that it has put it right, checked in the kernel. */
async function heal(place: Place, agent: Agent, one: Damage): Promise<number> {
  const rules = async (): Promise<string> => (await ourRules(place.lab)).join('\n');
  const before = await rules();
  await sleep(Math.random() * pace[place.backend]);
  const told = repairs(agent).length;
  await damage(onNode(place), one, place.backend);
  const done = Date.now();
  await eventually(`${one.name}: a repair is told`, () => repairs(agent).length > told);
  await eventually(`${one.name}: all stands as before`, async () => (await rules()) === before, {
    everyMs: 100,
  });
  return Math.max(0, (repairs(agent).at(-1) ?? 0) - done);
}

/** When it has told of a repair, ms since the epoch. */
function repairs(agent: Agent): number[] {
  return agent
    .logs()
    .filter(({ msg }) => /^iptables rules repaired$|^stale copy /.test(String(msg)))
    .map(({ time }) => Date.parse(String(time)));
}
