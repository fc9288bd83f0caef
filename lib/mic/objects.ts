import type { Objects } from '../assign/apply-doors.ts';
import type { Target } from '../assign/operation.ts';
import type { Assignment } from '../kube/assigned-body.ts';
import type { AssignedObjects } from '../kube/assigned-objects.ts';

/** Writes what plans ask for: with the whole copies of binding and identity, which the caches keep beside what is planned by. */
export function objectsBy(writer: AssignedObjects): Objects {
  return {
    create: (target, marks, asked) => writer.create(assignmentOf(target), marks, asked),
    update: (object, target, standing, asked) => writer.update(object, assignmentOf(target), standing, asked),
    setState: (object, standing, asked) => writer.setState(object, standing, asked),
    remember: (object, copy, asked) => writer.remember(object, copy, asked),
    remove: (object, asked) => writer.remove(object, asked),
  };
}

function assignmentOf(target: Target): Assignment {
  return { ...target, binding: copied(target.binding), identity: copied(target.identity) };
}

/** Throws for what is not of the caches. */
function copied(seen: object): { readonly json: string } {
  if ('json' in seen && typeof seen.json === 'string') return { json: seen.json };
  throw new Error('a plan was made from what is not of the caches');
}
