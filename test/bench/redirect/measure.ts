import { type Costs, measureUpkeep, type UpkeepCosts } from './cost.ts';
import { measureHealing } from './heal.ts';
import { type IdleShares, measureIdle } from './idle.ts';
import { type Place, setPlace } from './place.ts';

export interface RedirectFigures {
  readonly backend: 'nft' | 'legacy';
  readonly foreign: number;
  /** With the default guard, and with `--guard=both`. */
  readonly mangle: UpkeepCosts;
  readonly both: UpkeepCosts;
  readonly idle: IdleShares;
  /** ms, by the damage's name. */
  readonly healed: Readonly<Record<string, readonly number[]>>;
}

export interface RedirectBench {
  readonly runs: number;
  readonly idleSeconds: number;
  readonly tell: (what: string) => void;
}

/**
 * Both backends, without rules of others and with 5,000. What costs little is measured one place after another, what takes long
 * in all at once: CPU time hardly depends on what else runs.
 */
export async function benchRedirect({
  runs,
  idleSeconds,
  tell,
}: RedirectBench): Promise<readonly RedirectFigures[]> {
  const places: Place[] = [];
  for (const backend of ['nft', 'legacy'] as const)
    for (const foreign of [0, 5_000]) places.push(await setPlace(backend, foreign));
  const costs: Pick<RedirectFigures, 'mangle' | 'both'>[] = [];
  for (const place of places) {
    tell(`${place.backend}, ${place.foreign} foreign rules: checks and repairs`);
    const mangle = await measureUpkeep(place, 'mangle');
    costs.push({ mangle, both: await measureUpkeep(place, 'both') });
  }
  tell(`the keeper alone, then an idle agent, ${idleSeconds} s each`);
  const idle = await Promise.all(places.map((place) => measureIdle(place, idleSeconds)));
  tell(`each damage ${runs} times`);
  const healed = await Promise.all(places.map((place) => measureHealing(place, runs)));
  for (const { lab } of places) lab.down();
  return places.map(({ backend, foreign }, at) => ({
    ...{ backend, foreign },
    ...(costs[at] as Pick<RedirectFigures, 'mangle' | 'both'>),
    idle: idle[at] as IdleShares,
    healed: healed[at] ?? {},
  }));
}

/** What a figure must not exceed. */
export const targets = {
  checkCpuMs: { nft: 15, legacy: 40 },
  repairCpuMs: 100,
  keeperPercent: 1,
  healedMs: { nft: 2_000, legacy: 6_000 },
} as const;

/** The dearest of the repairs. */
export function dearest({ repairs }: UpkeepCosts): readonly [name: string, costs: Costs] {
  const [first = ['none', { cpuMs: 0, ownMs: 0, wallMs: 0 }] as const] = Object.entries(repairs).sort(
    ([, a], [, b]) => b.cpuMs - a.cpuMs,
  );
  return first;
}
