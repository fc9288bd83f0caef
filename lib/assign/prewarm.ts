import type { Grants } from './grants.ts';
import type { PlanSettings } from './snapshot.ts';
import type { Spot } from './spots.ts';

/** `--prewarm=binding` leaves an identity where a selected pod was in the last day, ms. */
export const prewarmMs = 24 * 60 * 60 * 1000;

/**
 * Until when an identity stays on a scale set for pods to come; undefined where it does not. The memory is the annotation
 * `last-used` of an object in state Unassigned, so it outlives a restart and costs no call. A VM is not worth it: a pod comes
 * back to a scale set, seldom to one machine. Without a binding that names it nobody could get the identity.
 */
export function prewarmedUntil(
  lastUsedMs: number | undefined,
  spot: Spot,
  { settings, grants }: { readonly settings: PlanSettings; readonly grants: Grants },
): number | undefined {
  const warm = settings.prewarm && spot.place.machine.kind === 'vmss' && grants.isNamed(spot.id);
  return warm && lastUsedMs !== undefined ? lastUsedMs + prewarmMs : undefined;
}
