import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import type { BackendName } from '../../../lib/redirect/iptables.ts';
import { busyLock } from '../../chaos/busy-lock.ts';
import type { Tally } from '../../chaos/knock.ts';
import { type Knocker, knockers, type Stage, setStage } from '../../chaos/stage.ts';
import { type Damage, damages } from '../../netns/damage.ts';
import { eventually } from '../eventually.ts';

/** What was seen of a damage that stood for ten seconds, because the keeper could neither look nor write. */
export interface Held {
  readonly damage: Damage;
  /** It stood until the end. */
  readonly stood: boolean;
  /** What pods got through to IMDS, one line each. */
  readonly leaks: readonly string[];
  /** What came of requests while it stood. */
  readonly during: Readonly<Record<Knocker, Tally>>;
  /** Statuses of connections that were opened while it stood, and waited for its end. */
  readonly gap: readonly number[];
  /** Statuses of requests after it was mended. */
  readonly after: readonly number[];
  /** From the moment when the keeper could work again, ms. */
  readonly healedMs: number;
}

const heldMs = 10_000;
/** Before the end, ms: the kernel sends a SYN again after 1, 2, 3, 4, 5 and 7 s, or after 1, 3 and 7. */
const gapMs = [4_000, 1_500, 300];
const labs = 5;

/** Every damage, several at a time, each group in a lab of its own that goes with the test. */
export async function holdAll(t: Test, backend: BackendName): Promise<readonly Held[]> {
  const results: Held[] = [];
  const work = async (guard: 'mangle' | 'both', queue: Damage[]): Promise<void> => {
    const { stage, hold } = await setHeld(t, backend, guard);
    for (let one = queue.shift(); one; one = queue.shift()) results.push(await hold(stage, one));
  };
  const ofOne = damages.filter(({ table }) => table !== 'both');
  const ofAll = damages.filter(({ table }) => table === 'both');
  await Promise.all([...Array.from({ length: labs }, () => work('mangle', ofOne)), work('both', ofAll)]);
  return results.sort((a, b) => damages.indexOf(a.damage) - damages.indexOf(b.damage));
}

async function setHeld(t: Test, backend: BackendName, guard: 'mangle' | 'both') {
  let lock: ReturnType<typeof busyLock> | undefined;
  const stage = await setStage({
    ...{ backend, guard },
    env: ({ folder }) => {
      lock = busyLock(join(folder, 'lock'));
      return { PATH: lock.path };
    },
  });
  t.teardown(() => stage.down());
  const agent = stage.lab.startAgent(stage.agent);
  await agent.ready();
  await stage.knock();
  const { hold, release } = lock as ReturnType<typeof busyLock>;
  return { stage, hold: (on: Stage, one: Damage) => holdOne(on, one, { hold, release }) };
}

async function holdOne(stage: Stage, one: Damage, lock: { hold(): void; release(): void }): Promise<Held> {
  const whole = await stage.rules();
  const tallies = (): Record<Knocker, Tally> =>
    Object.fromEntries(knockers.map((who) => [who, stage.tallyOf(who)])) as Record<Knocker, Tally>;
  await stage.forget();
  lock.hold();
  await stage.hurt(one);
  const before = tallies();
  const gap = gapMs.map(async (ms) => {
    await sleep(heldMs - ms);
    return stage.askOnce('demo', 30);
  });
  await sleep(heldMs); // the promise is about these ten seconds
  const after = tallies();
  const stood = (await stage.rules()) !== whole;
  lock.release();
  const released = performance.now();
  const mended = async (): Promise<boolean> => (await stage.rules()) === whole;
  // A look at the rules takes a handful of programs, and five other labs are at it, too.
  await eventually(`${one.name} is mended`, mended, { everyMs: 200 });
  const healedMs = performance.now() - released;
  const mendedAt = Date.now();
  // A request that was begun before gives up seconds after: it is no part of what the next damage does.
  const settled = (): boolean => Object.values(tallies()).every(({ settled }) => settled > mendedAt);
  await eventually('the requests of that time have ended', settled, { everyMs: 200 });
  return {
    ...{ damage: one, stood, healedMs },
    during: Object.fromEntries(
      knockers.map((who) => [who, difference(before[who], after[who])]),
    ) as Held['during'],
    gap: await Promise.all(gap),
    after: await Promise.all([stage.askOnce('demo', 10), stage.askOnce('excepted', 10)]),
    leaks: await stage.leaks(),
  };
}

/** What came between two tallies of one knocker. */
export function difference(before: Tally, after: Tally): Tally {
  const between = (a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>) =>
    Object.fromEntries(
      Object.entries(b)
        .map(([key, count]) => [key, count - (a[key] ?? 0)] as const)
        .filter(([, count]) => count > 0),
    );
  return {
    answered: between(before.answered, after.answered),
    waited: after.waited - before.waited,
    failed: between(before.failed, after.failed),
    gaveUp: after.gaveUp - before.gaveUp,
    settled: after.settled,
  };
}
