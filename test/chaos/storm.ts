import { setTimeout as sleep } from 'node:timers/promises';
import { pick } from '../fakes/random.ts';
import { eventually } from '../lab/eventually.ts';
import { type Damage, damages } from '../netns/damage.ts';
import type { Agents } from './agents.ts';
import { type Deed, deeds } from './deeds.ts';
import { calm, standing } from './rules.ts';
import type { Stage } from './stage.ts';

/** How often each thing was done, and how often a damage found nothing to damage, since another had been there before. */
export interface Done {
  readonly times: Map<string, number>;
  readonly inVain: Map<string, number>;
}

export interface StormOptions {
  readonly stage: Stage;
  readonly agents: Agents;
  /** `turns`: damage to one table at a time, which the default guard is made for; `all`: whatever comes. */
  readonly tables: 'turns' | 'all';
  /** What {@link standing} gives when nothing is damaged. */
  readonly whole: string;
  readonly seconds: number;
  readonly random: () => number;
}

/** From one deed to the next, ms. */
const pauseMs = { least: 200, most: 2_000 } as const;
/** How long it is the turn of one table, ms. */
const turnMs = { nat: 40_000, mangle: 15_000 } as const;
/** For what is damaged to be mended before it is the other's turn, ms. */
const mendMs = 45_000;
const damageWeight = 10;

/** Lets loose on one node what may befall it, for that long; resolves when the last deed has ended. */
export async function storm(options: StormOptions): Promise<Done> {
  const { stage, agents, seconds, random } = options;
  const done: Done = { times: new Map(), inVain: new Map() };
  const underWay = new Map<Deed['kind'], Promise<void>>();
  const turns = new Turns(options);
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    await sleep(pauseMs.least + (pauseMs.most - pauseMs.least) * random());
    const deed = choose(stage, random);
    if (!deed || underWay.has(deed.kind)) {
      await hurt(stage, await turns.damage(), done);
      continue;
    }
    count(done.times, deed.name);
    const over = deed.run(stage, agents, random).finally(() => underWay.delete(deed.kind));
    over.catch(() => undefined); // told by the wait below, or by what is not as it should be in the end
    underWay.set(deed.kind, over);
  }
  await Promise.all(underWay.values());
  return done;
}

/** Undefined for a damage. */
function choose({ backend }: Stage, random: () => number): Deed | undefined {
  const possible = deeds.filter(({ only }) => only === undefined || only === backend);
  let at = random() * (damageWeight + possible.reduce((sum, { weight }) => sum + weight, 0));
  return possible.find(({ weight }) => {
    at -= weight;
    return at < 0;
  });
}

async function hurt(stage: Stage, one: Damage, { times, inVain }: Done): Promise<void> {
  await stage.hurt(one).then(
    () => count(times, one.name),
    () => count(inVain, one.name),
  );
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** Which damage comes next. Between the turns of two tables all is mended, since what is left of one guards the other. */
class Turns {
  readonly #options: StormOptions;
  #table: 'nat' | 'mangle' = 'nat';
  #until = performance.now() + turnMs.nat;

  constructor(options: StormOptions) {
    this.#options = options;
  }

  async damage(): Promise<Damage> {
    const { tables, random } = this.#options;
    if (tables === 'all') return pick(damages as [Damage, ...Damage[]], random);
    if (performance.now() > this.#until) await this.#next();
    const possible = damages.filter(({ table }) => table === this.#table);
    return pick(possible as [Damage, ...Damage[]], random);
  }

  async #next(): Promise<void> {
    const { stage, whole } = this.#options;
    const mended = async (): Promise<boolean> => {
      await calm(stage); // who insists on being first is put right ever more rarely
      return (await standing(stage)) === whole;
    };
    await eventually('all is mended', mended, { withinMs: mendMs, everyMs: 250 });
    this.#table = this.#table === 'nat' ? 'mangle' : 'nat';
    this.#until = performance.now() + turnMs[this.#table];
  }
}
