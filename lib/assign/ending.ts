import type { Draft } from './draft.ts';
import type { Leftover } from './leftover.ts';
import type { Spot } from './spots.ts';
import type { Survey } from './survey.ts';

/**
 * What becomes of the objects that no pod needs. One of them is enough to remember the identity by, and none is needed where
 * the object of another pod stands, or where the identity is never taken off.
 */
export function end(
  spot: Spot,
  keeper: Leftover,
  { world, draft }: { readonly world: Survey; readonly draft: Draft },
): void {
  const needless = spot.stands > 0 || world.immutable.has(spot.id);
  for (const object of spot.left) {
    if (needless || object !== keeper.object)
      draft.free.push({ kind: 'delete', object, former: undefined, when: { kind: 'now' } });
  }
  if (!needless) keep(spot, keeper, { draft, nowMs: world.snapshot.nowMs });
}

function keep(
  spot: Spot,
  { object, marked, marks, untilMs, prewarms }: Leftover,
  { draft, nowMs }: { readonly draft: Draft; readonly nowMs: number },
): void {
  const over = untilMs <= nowMs;
  // A memory proves to new pods that the identity is there. It must be gone before ARM is asked to take the identity off.
  const forgets = over && object.lastUsedMs !== undefined;
  if (!marked || forgets) {
    const left = marked ? { ...marks, lastUsedMs: undefined } : marks;
    draft.free.push({ kind: 'state', object, to: 'Unassigned', marks: left, when: { kind: 'now' } });
  }
  if (!over) draft.again(untilMs);
  if (!marked || forgets || prewarms || spot.wanted || spot.leavers.length > 0) return;
  if (!over) {
    draft.leave(spot);
    return;
  }
  draft.remove(spot);
  draft.after(spot, { kind: 'delete', object, former: undefined, when: { kind: 'off', id: spot.id } });
}
