import { compare } from '../model/order.ts';
import { prewarmedUntil } from './prewarm.ts';
import { type AssignedObject, type AssignmentMarks, keyOf } from './snapshot.ts';
import type { Spot } from './spots.ts';
import { isSettled, type Survey } from './survey.ts';

/** An object that no pod needs, and how long it keeps its identity on the machine. */
export interface Leftover {
  readonly object: AssignedObject;
  /** It says already what it should: Unassigned, and since when. */
  readonly marked: boolean;
  readonly marks: AssignmentMarks;
  /** ms since the epoch. */
  readonly untilMs: number;
  /** It keeps the identity there for pods to come. */
  readonly prewarms: boolean;
}

/** The marks of an object that stops standing for a pod. A time to come is some other clock's, and counts for none. */
export function marksAtEnd(
  object: AssignedObject,
  spot: Spot,
  { snapshot, settings }: Survey,
): AssignmentMarks {
  const { nowMs } = snapshot;
  const past = (ms: number | undefined): number | undefined =>
    ms !== undefined && ms <= nowMs ? ms : undefined;
  const over = object.state === 'Unassigned';
  const lastUsedMs = isSettled(object) ? nowMs : over ? past(object.lastUsedMs) : undefined;
  return {
    machine: spot.place.armId,
    unassignSinceMs: (over ? past(object.unassignSinceMs) : undefined) ?? nowMs,
    lastUsedMs: settings.prewarm ? lastUsedMs : undefined,
  };
}

/** One that somebody deletes has no grace: whoever deletes a namespace does not want to wait for it. */
function leftoverOf(object: AssignedObject, spot: Spot, world: Survey): Leftover {
  const marks = marksAtEnd(object, spot, world);
  const marked = object.state === 'Unassigned' && object.unassignSinceMs === marks.unassignSinceMs;
  const { nowMs } = world.snapshot;
  const graceEnds = (marks.unassignSinceMs ?? nowMs) + world.settings.graceMs;
  const warmEnds = object.deleting ? undefined : prewarmedUntil(marks.lastUsedMs, spot, world);
  const untilMs = object.deleting ? Number.NEGATIVE_INFINITY : Math.max(graceEnds, warmEnds ?? graceEnds);
  const prewarms = marked && warmEnds !== undefined && warmEnds > nowMs;
  return { object, marked, marks, untilMs, prewarms };
}

/** Of the objects that are left at the spot, the one that keeps the identity there longest; the others are not needed. */
export function keeperOf(spot: Spot, world: Survey): Leftover | undefined {
  const [first, ...rest] = spot.left.map((object) => leftoverOf(object, spot, world));
  return rest.reduce((best, each) => (outlasts(each, best) ? each : best), first as Leftover | undefined);
}

function outlasts(each: Leftover, best: Leftover | undefined): boolean {
  if (!best || each.untilMs !== best.untilMs) return !best || each.untilMs > best.untilMs;
  return compare(keyOf(each.object), keyOf(best.object)) < 0;
}
