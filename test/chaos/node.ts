import { join } from 'node:path';
import type { BackendName } from '../../lib/redirect/iptables.ts';
import { seeded } from '../fakes/random.ts';
import { eventually } from '../lab/eventually.ts';
import { ourRules } from '../lab/nmi/scene.ts';
import { Agents } from './agents.ts';
import type { Tally } from './knock.ts';
import { standing } from './rules.ts';
import { type Knocker, knockers, type Stage, setStage } from './stage.ts';
import { type Done, storm } from './storm.ts';

export interface NodeOptions {
  readonly backend: BackendName;
  readonly guard: 'mangle' | 'both';
  readonly seconds: number;
  readonly seed: number;
}

/** A promise, and what broke it; empty when it was kept. */
export interface Check {
  readonly promise: string;
  readonly breaches: readonly string[];
}

export interface Outcome {
  readonly name: string;
  readonly done: Done;
  readonly tallies: Readonly<Record<Knocker, Tally>>;
  readonly checks: readonly Check[];
}

/** The longest that the keeper leaves a rival in front is a minute. */
const healMs = 90_000;
const cleanup = join(import.meta.dirname, '../../bin/cleanup-iptables');

/** One node in the storm, from its first agent until nothing is left of it. */
export async function weather({ backend, guard, seconds, seed }: NodeOptions): Promise<Outcome> {
  const stage = await setStage({ backend, guard });
  try {
    const agents = new Agents(stage);
    await agents.start().ready();
    const whole = await standing(stage);
    await stage.forget();
    await stage.knock();
    const tables = guard === 'both' ? 'all' : 'turns';
    const done = await storm({ stage, agents, tables, whole, seconds, random: seeded(seed) });
    const checks = await inTheEnd(stage, agents, whole);
    const tallies = Object.fromEntries(
      knockers.map((who) => [who, stage.tallyOf(who)]),
    ) as Outcome['tallies'];
    checks.push(...requests(tallies), await nothingLeft(stage, agents));
    return { name: `${backend}, --guard=${guard}`, done, tallies, checks };
  } finally {
    stage.down();
  }
}

async function inTheEnd(stage: Stage, agents: Agents, whole: string): Promise<Check[]> {
  const limit = { withinMs: healMs, everyMs: 250 };
  const healed = await eventually('all stands', async () => (await standing(stage)) === whole, limit).then(
    () => [],
    async () => ['expected:', whole, 'found:', await standing(stage)],
  );
  const ready = await eventually('an agent is ready', () => agents.ready(), limit).then(
    () => [],
    (error: Error) => [error.message],
  );
  const statuses = await Promise.all([stage.askOnce('demo', 10), stage.askOnce('excepted', 10)]);
  return [
    { promise: 'the rules stand as at the start', breaches: healed },
    { promise: 'one agent is ready', breaches: ready },
    {
      promise: 'pods are served',
      breaches: statuses.flatMap((status) => (status === 200 ? [] : `${status}`)),
    },
    { promise: 'no agent ended by itself', breaches: agents.surprises() },
    { promise: 'no request of a pod reached IMDS', breaches: await stage.leaks() },
  ];
}

function requests({ demo, 'on-node': host }: Outcome['tallies']): readonly Check[] {
  const others = ({ answered }: Tally): string[] =>
    Object.entries(answered).flatMap(([status, count]) =>
      status === '200' ? [] : `${count} times ${status}`,
    );
  const unanswered = Object.entries(host.failed).map(([code, count]) => `${count} times ${code}`);
  return [
    { promise: 'no request of the pod was answered but with its token', breaches: others(demo) },
    {
      promise: 'the process with hostNetwork was answered every time',
      breaches: [
        ...others(host),
        ...unanswered,
        ...(host.gaveUp > 0 ? [`${host.gaveUp} times nothing`] : []),
      ],
    },
  ];
}

/** After the last agent was killed, which is what `bin/cleanup-iptables` is for. */
async function nothingLeft({ lab }: Stage, agents: Agents): Promise<Check> {
  await agents.allKilled();
  const { code, stderr } = await lab.onNode([cleanup]);
  const routes = (await lab.onNode(['ip', '-4', 'rule', 'show', 'pref', '64'])).stdout.trim();
  const left = [...(await ourRules(lab)), ...(routes ? [routes] : []), ...(code === 0 ? [] : [stderr])];
  return { promise: 'cleanup-iptables leaves nothing', breaches: left };
}
