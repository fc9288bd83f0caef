import { Changes } from './changes.ts';
import { Draft } from './draft.ts';
import { end } from './ending.ts';
import { keeperOf } from './leftover.ts';
import type { Plan } from './operation.ts';
import type { PlanSettings, Snapshot } from './snapshot.ts';
import type { Spot } from './spots.ts';
import { type Survey, survey } from './survey.ts';

/**
 * What MIC has to do. Pure and level-triggered: it knows only what stands, so it may be asked at any moment, by any MIC, and
 * applied in part. An assignment takes up to three plans: the object in state Created; then its identity put on the machine
 * and the state Assigned; when no pod needs it, the state Unassigned, and after the grace the identity taken off and the object
 * deleted. Every operation is about objects that the snapshot has, so an identity is never put on a machine before an object
 * stands for it.
 */
export function plan(snapshot: Snapshot, settings: PlanSettings): Plan {
  const world = survey(snapshot, settings);
  const draft = new Draft();
  const changes = new Changes(world, draft);
  for (const object of world.idle)
    draft.free.push({ kind: 'delete', object, former: undefined, when: { kind: 'now' } });
  planSpots(world, draft, changes);
  return {
    machines: draft.machines(),
    free: draft.free,
    problems: world.problems.all(),
    againAtMs: draft.againAtMs,
  };
}

function planSpots(world: Survey, draft: Draft, changes: Changes): void {
  const warm = new Set<Spot>();
  const spots = [...world.spots.all()];
  for (const spot of spots) {
    const keeper = keeperOf(spot, world);
    const stays = world.immutable.has(spot.id);
    if (keeper) end(spot, keeper, { world, draft });
    if (keeper?.prewarms && !stays) {
      warm.add(spot);
      spot.proven.add(keeper.object.identity.clientId.toLowerCase());
    }
    const isRemembered = spot.stands > 0 || (keeper && keeper.untilMs > world.snapshot.nowMs);
    if (!isRemembered && !stays) changes.remember(spot);
  }
  for (const need of world.needs) changes.meet(need);
  for (const spot of spots) {
    if ((spot.wanted && spot.stands > 0) || warm.has(spot)) {
      const { id } = spot;
      const identity = { id, clientId: world.grants.clientIdOf(id), owners: world.grants.ownersOf(id) };
      draft.want(spot.place, identity, changes.isAwaited(spot));
    }
  }
}
