import t from 'tap';
import type { Plan } from '../../lib/assign/operation.ts';
import { seeded } from '../fakes/random.ts';
import { allGoesWell, apply, type Fate } from './applying.ts';
import { comeToRest, edit, foreign, newWorld } from './edits.ts';
import { dueIn, faultsOf, isImmutable } from './oracle.ts';
import type { World } from './world.ts';

/** MIC's process ends here. */
class Restart extends Error {}

const troubled =
  (random: () => number): Fate =>
  () => {
    const luck = random();
    if (luck < 0.02) throw new Restart();
    return luck < 0.12 ? 'refused' : luck < 0.2 ? 'done but not told' : 'well';
  };

/** For sure: who competes for a name with another pod or identity may have lost. */
function isInUse(world: World, spot: string): boolean {
  const due = dueIn(world);
  return due.some(
    (one) => one.spot === spot && due.every(({ key, spot }) => key !== one.key || spot === one.spot),
  );
}

/** Plans and applies once; returns how much was changed. */
function turn(world: World, fate: Fate): number {
  const onRemove = (key: string, id: string): void => {
    const spot = `${key} ${id}`;
    if (isInUse(world, spot)) world.arm.offences.push(`${spot} was in use`);
    if (isImmutable(world, id)) world.arm.offences.push(`${spot} was immutable`);
    if (id === foreign) world.arm.offences.push(`${spot} was foreign`);
  };
  // What is immutable because an object says so stays when the object goes.
  for (const object of world.objects.values()) {
    const spot = world.spotOf(object);
    if (spot && isImmutable(world, spot.split(' ')[1] ?? '')) world.orphans.add(spot);
  }
  try {
    return apply(world, fate, onRemove);
  } catch (error) {
    if (error instanceof Restart) return 1;
    throw error;
  }
}

/** Until nothing changes any more and time alone will change nothing; false where that does not come. */
function settle(world: World): boolean {
  for (let i = 0; i < 60; i++) {
    if (turn(world, allGoesWell) > 0) continue;
    const { againAtMs } = world.plan();
    if (againAtMs === undefined) return true;
    world.nowMs = againAtMs;
  }
  return false;
}

const foreignStays = (world: World): boolean =>
  [...world.arm.machines.values()].every(
    ({ userAssigned: users }) => users.get(foreign) === 'client-foreign',
  );

const everyDoing = [
  'create',
  'update',
  'delete',
  'Assigned now',
  'Assigned on',
  'Created now',
  'Unassigned now',
  'former',
  'remove',
  'selector-missing',
  'identity-missing',
  'type-unsupported',
  'resource-id-invalid',
  'client-id-missing',
  'client-id-disputed',
  'identity-refused',
  'name-collision',
  'node-missing',
  'provider-id-invalid',
] as const;

/** What a plan does, in a word or two each. */
function doings({ free, machines, problems }: Plan): string[] {
  const all = [...free, ...machines.flatMap(({ objects }) => objects)];
  const former = all.some((operation) => 'former' in operation && operation.former) ? ['former'] : [];
  const removes = machines.some(({ remove }) => remove.length > 0) ? ['remove'] : [];
  const kinds = all.map((operation) =>
    operation.kind === 'state' ? `${operation.to} ${operation.when.kind}` : operation.kind,
  );
  return [...kinds, ...former, ...removes, ...problems.map(({ code }) => code)];
}

t.test('from any state, planning and applying until quiet ends in what is desired (seeded)', async (t) => {
  const seen = new Map<string, number>();
  for (let seed = 0; seed < 1_500; seed++) {
    const random = seeded(seed);
    const world = newWorld(random);
    for (let i = 0; i < 40; i++) {
      for (const doing of doings(world.plan())) seen.set(doing, (seen.get(doing) ?? 0) + 1);
      if (random() < 0.5) edit(world, random);
      else turn(world, random() < 0.5 ? allGoesWell : troubled(random));
    }
    comeToRest(world, random);
    const rested = settle(world);
    const faults = faultsOf(world);
    const { free, machines } = world.plan();
    const idle = free.length === 0 && machines.every(({ remove }) => remove.length === 0);
    if (!rested || !idle || faults.length > 0 || !foreignStays(world))
      return t.fail(`seed ${seed}: ${JSON.stringify({ rested, free, faults })}`);
  }
  for (const doing of everyDoing) t.ok((seen.get(doing) ?? 0) > 20, `${doing}: ${seen.get(doing)} times`);
});
