import { isAppError } from '../model/errors.ts';
import type { Arm } from './arm.ts';
import { type ArmError, armErrorIn, blamed, wordsOf } from './arm-error.ts';
import { type Change, changed, type MachineIdentity, mostChanges, patchOf } from './identity-patch.ts';
import type { Machine } from './machine.ts';
import type { ResourceId } from './resource-id.ts';

/** What became of one change. */
export type Outcome =
  | { readonly kind: 'done' }
  /** ARM does not make this change: its code, and its words in one line. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  /** ARM refused it together with others, and no more tries are to be spent on finding out which of them it meant. */
  | { readonly kind: 'undecided' }
  /** Not tried, or nobody knows; `error` is why. Another round will tell. */
  | { readonly kind: 'open'; readonly error: unknown };

export interface ChangeDoors {
  readonly arm: Arm;
  readonly machine: Machine;
  /** What the machine has now. */
  readonly current: MachineIdentity;
  readonly signal: AbortSignal;
  /** Before another try, where ARM has refused one. */
  readonly rest: () => Promise<void>;
}

/**
 * Makes the changes in as few PATCHes as may be. A batch that ARM refuses is divided, first by the ids that it blames, else in
 * halves, so that one bad identity blocks only itself: among n that takes 2 log2 n + 1 PATCHes at most, and nobody is refused
 * on hearsay. More are not spent on all batches together; what is still together then is left undecided. Parts are tried to
 * their end before others, so that every round settles something, however many are bad. Where ARM is in trouble, limits us, or refuses
 * for the machine's sake, nothing more is tried. Gives an outcome for each change, and never rejects.
 */
export async function applyChanges(
  changes: readonly Change[],
  doors: ChangeDoors,
): Promise<ReadonlyMap<ResourceId, Outcome>> {
  const outcomes = new Map<ResourceId, Outcome>();
  const settle = (batches: readonly Batch[], outcome: Outcome): void => {
    for (const { id } of batches.flatMap((batch) => batch.changes)) outcomes.set(id, outcome);
  };
  const queue = batchesOf(changes);
  let state = doors.current;
  let refused = false;
  for (let batch = queue.shift(); batch; batch = queue.shift()) {
    try {
      if (refused) await doors.rest();
      const step = await tryBatch(batch, state, doors);
      state = step.state;
      refused = step.outcome?.kind !== 'done';
      if (step.outcome) settle([batch], step.outcome);
      else queue.unshift(...step.parts);
    } catch (error) {
      settle([batch, ...queue.splice(0)], { kind: 'open', error });
    }
  }
  return outcomes;
}

/** Changes that go into one PATCH. */
interface Batch {
  readonly changes: readonly Change[];
  /** How many PATCHes may still be spent on parts. */
  readonly purse: { left: number };
  /** Of one that was refused. */
  readonly isPart: boolean;
}

/** What a batch came to: an outcome, or parts of it to try. `state` is what the machine has then. */
type Step = { readonly state: MachineIdentity } & (
  | { readonly outcome: Outcome }
  | { readonly outcome?: undefined; readonly parts: readonly Batch[] }
);

/** Rejects when nothing more should be tried. */
async function tryBatch(batch: Batch, state: MachineIdentity, doors: ChangeDoors): Promise<Step> {
  const { arm, machine, signal } = doors;
  if (batch.isPart && batch.purse.left <= 0) return { state, outcome: { kind: 'undecided' } };
  if (batch.isPart) batch.purse.left -= 1;
  try {
    const patch = patchOf(state, batch.changes);
    if (patch) await arm.patch(machine, patch, signal);
    return { state: changed(state, batch.changes), outcome: { kind: 'done' } };
  } catch (error) {
    const refusal = refusalIn(error);
    const verdict = refusal && judge(batch, refusal, state);
    if (!verdict) throw error;
    // What ARM took and could not finish, it may have made in part.
    const now = isAppError(error, 'arm-failed') ? await arm.identitiesOf(machine) : state;
    return { state: now, ...verdict };
  }
}

interface Refusal extends ArmError {
  /** It may be about one of the ids although it names none. */
  readonly isOfContent: boolean;
}

/** Ends of operations that say nothing of what was asked. */
const passing = /preempt|internal|conflict|timeout|throttl|toomany|retry|unknown/i;

/** MIC may not change the machine: it has no role there, or a deny assignment forbids it, as AKS's lockdown of its node resource group does. */
const notOurs = /^(DenyAssignment)?AuthorizationFailed$/;

/** ARM's no to what was asked; undefined for its trouble, and for a no that only waiting changes. */
function refusalIn(error: unknown): Refusal | undefined {
  if (!isAppError(error)) return undefined;
  const said = armErrorIn(error.answer?.body ?? '');
  if (error.code === 'arm-failed') {
    const isOfContent = said.code === 'FailedIdentityOperation' || !passing.test(said.code);
    return { ...said, isOfContent };
  }
  const isNo = error.code === 'arm-refused' && [400, 403, 404, 422].includes(error.status ?? 0);
  // The machine itself has just been read. Where MIC may not change it, no other change will do; every other no may be of one id.
  return isNo ? { ...said, isOfContent: !notOurs.test(said.code) } : undefined;
}

function judge(
  { changes, purse }: Batch,
  refusal: Refusal,
  { userAssigned }: MachineIdentity,
): { readonly outcome: Outcome } | { readonly parts: readonly Batch[] } | undefined {
  const names = new Set(blamed(refusal.message));
  const bad = changes.filter(({ id }) => names.has(id));
  // A machine with an identity that was deleted may refuse every change that leaves it there.
  const isOfOther = [...names].some((id) => userAssigned.has(id));
  if (bad.length === 0 && (isOfOther || !refusal.isOfContent)) return undefined;
  if (changes.length === 1 || bad.length === changes.length)
    return { outcome: { kind: 'refused', code: refusal.code, message: wordsOf(refusal) } };
  const middle = Math.ceil(changes.length / 2);
  // Those that are blamed first: ARM may name one a time, and each has to be settled before there is no try left.
  const parts =
    bad.length > 0
      ? [bad, changes.filter(({ id }) => !names.has(id))]
      : [changes.slice(0, middle), changes.slice(middle)];
  return { parts: parts.map((part) => ({ changes: part, purse, isPart: true })) };
}

function batchesOf(changes: readonly Change[]): Batch[] {
  const starts = Array.from({ length: Math.ceil(changes.length / mostChanges) }, (_, at) => at * mostChanges);
  const purse = { left: 2 * Math.ceil(Math.log2(Math.min(changes.length, mostChanges))) };
  return starts.map((start) => ({
    ...{ purse, isPart: false },
    changes: changes.slice(start, start + mostChanges),
  }));
}
