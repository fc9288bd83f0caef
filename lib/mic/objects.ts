import type { Objects } from '../assign/apply-doors.ts';
import type { AssignedObjects } from '../kube/assigned-objects.ts';

/** Writes what plans ask for. */
export function objectsBy(writer: AssignedObjects): Objects {
  return writer;
}
