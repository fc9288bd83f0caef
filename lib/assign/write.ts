import { messageOf } from '../model/errors.ts';
import type { ApplyDoors, Asked, Written } from './apply-doors.ts';
import type { Attempts } from './attempts.ts';
import type { ObjectOperation } from './operation.ts';
import { writeEvents } from './outcome-events.ts';
import { keyOf } from './snapshot.ts';

export interface WriteDoors extends Pick<ApplyDoors, 'objects' | 'tell' | 'onWrite' | 'clock' | 'log'> {
  readonly attempts: Attempts;
}

/** Runs an operation whose condition holds, and notes and tells what came of it. Never rejects. */
export async function write(operation: ObjectOperation, doors: WriteDoors, asked: Asked): Promise<void> {
  const { clock, attempts, onWrite, tell, log } = doors;
  const began = clock.monotonic();
  try {
    asked.signal.throwIfAborted();
    const written = await run(operation, doors, asked);
    attempts.note(operation, written);
    onWrite(operation.kind, clock.monotonic() - began, false);
    if (written === 'done') for (const event of writeEvents(operation, undefined)) tell(event);
    if (written === 'pruned') {
      const cure = 'apply the CRDs of this release';
      log.warn({ object: nameOf(operation), cure }, 'the API server keeps less than was written');
    }
  } catch (error) {
    if (asked.signal.aborted) return;
    attempts.note(operation, 'failed');
    onWrite(operation.kind, clock.monotonic() - began, true);
    const why = messageOf(error);
    log.warn({ object: nameOf(operation), operation: operation.kind, why }, 'object not written');
    for (const event of writeEvents(operation, why)) tell(event);
  }
}

async function run(operation: ObjectOperation, doors: WriteDoors, asked: Asked): Promise<Written> {
  const { objects } = doors;
  if (operation.kind === 'create') return objects.create(operation.target, operation.marks, asked);
  const { object } = operation;
  if (operation.kind === 'state')
    return objects.setState(object, { state: operation.to, marks: operation.marks }, asked);
  const { former } = operation;
  // Without the copy, nothing would stand for what is still on the machine.
  const remembered = former ? await objects.remember(object, former, asked) : 'done';
  if (remembered !== 'done') return remembered;
  if (operation.kind === 'delete') return objects.remove(object, asked);
  const { target, state, marks } = operation;
  return objects.update(object, target, { state, marks }, asked);
}

function nameOf(operation: ObjectOperation): string {
  return keyOf(operation.kind === 'create' ? operation.target : operation.object);
}
