import { isAppError } from '../model/errors.ts';
import type { Arm } from './arm.ts';
import { applyChanges, type ChangeDoors, type Outcome } from './bisect.ts';
import { type Difference, difference } from './difference.ts';
import { type Change, changed, changesOf, type MachineIdentity } from './identity-patch.ts';
import type { Condition, MachinePlan } from './operation.ts';
import type { ResourceId } from './resource-id.ts';
import type { Setbacks } from './setbacks.ts';
import type { PlanSettings } from './snapshot.ts';

/** A change that ARM does not make. */
export interface Refused {
  readonly change: Change;
  readonly code: string;
  /** ARM's words, in one line. */
  readonly message: string;
}

/** What stands on a machine after a round, as far as ARM has told. */
export interface Settled {
  readonly difference: Difference;
  readonly done: readonly Change[];
  readonly refused: readonly Refused[];
  /** Refused with others, see `Outcome`. */
  readonly undecided: readonly Change[];
  /** There is no such machine. */
  readonly isGone: boolean;
  /** Why something is not known; undefined where everything is. */
  readonly trouble: unknown;
  readonly holds: (when: Condition) => boolean;
}

export interface SettleDoors {
  readonly arm: Arm;
  readonly setbacks: Setbacks;
  readonly immutable: PlanSettings['immutable'];
  readonly signal: AbortSignal;
  readonly rest: ChangeDoors['rest'];
}

const nothing: MachineIdentity = { hasSystem: false, userAssigned: new Map() };

/**
 * One GET, and the PATCHes that make the machine what the plan says, without what ARM has refused lately. Rejects as
 * `Arm.identitiesOf` where ARM cannot be asked, and with the signal's reason; a machine that is gone has no identities.
 */
export async function settle(plan: MachinePlan, doors: SettleDoors): Promise<Settled> {
  const { immutable, signal } = doors;
  const found = await identitiesOf(plan, doors);
  signal.throwIfAborted();
  const has = found ?? nothing;
  const wanted = difference(plan, has.userAssigned, immutable);
  const round = new Round(plan, has, doors);
  if (found) await round.makeAll(wanted);
  return {
    difference: wanted,
    isGone: !found,
    ...round.result(),
    holds: (when) => round.holds(when, wanted),
  };
}

/** Undefined where there is no such machine. */
async function identitiesOf(
  { machine }: MachinePlan,
  { arm }: SettleDoors,
): Promise<MachineIdentity | undefined> {
  try {
    return await arm.identitiesOf(machine);
  } catch (error) {
    if (isAppError(error, 'arm-gone')) return undefined;
    throw error;
  }
}

/** The changes of one round, and what came of them. */
class Round {
  readonly #plan: MachinePlan;
  readonly #doors: SettleDoors;
  readonly #found: MachineIdentity;
  readonly #done: Change[] = [];
  readonly #refused: Refused[] = [];
  readonly #undecided: Change[] = [];
  /** Of these ids nobody knows. */
  readonly #open = new Set<ResourceId>();
  #trouble: unknown;
  state: MachineIdentity;

  constructor(plan: MachinePlan, state: MachineIdentity, doors: SettleDoors) {
    this.#plan = plan;
    this.#found = state;
    this.state = state;
    this.#doors = doors;
  }

  /** What is renewed goes off first: in one PATCH an id stands once. */
  async makeAll({ add, remove, renew }: Difference): Promise<void> {
    const { setbacks } = this.#doors;
    const may = (to: Change['to']) => (id: ResourceId) => setbacks.waitMs({ id, to }) === 0;
    const isDead = (id: ResourceId): boolean => this.#found.userAssigned.get(id) === '';
    // Where Azure refuses every change that leaves a deleted identity there, no other one comes through before it is off.
    await this.#make({ remove: [...remove, ...renew].filter(isDead).filter(may('off')) });
    const living = [...remove, ...renew.filter(may('on'))].filter((id) => !isDead(id));
    await this.#make({ add: add.filter(may('on')), remove: living.filter(may('off')) });
    await this.#make({ add: renew.filter((id) => this.isOff(id)).filter(may('on')) });
  }

  async #make({ add = [], remove = [] }: Partial<Pick<Difference, 'add' | 'remove'>>): Promise<void> {
    const changes = changesOf(this.state, { add, remove });
    for (const group of this.#doors.setbacks.grouped(changes)) await this.#try(group);
  }

  async #try(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0 || this.#trouble !== undefined) return;
    const { setbacks } = this.#doors;
    const { machine } = this.#plan;
    const outcomes = await applyChanges(changes, { ...this.#doors, machine, current: this.state });
    for (const change of changes) this.#note(change, outcomes.get(change.id));
    const made = changes.filter(({ id }) => outcomes.get(id)?.kind === 'done');
    setbacks.done(made);
    this.#done.push(...made);
    this.state = changed(this.state, made);
  }

  #note(change: Change, outcome: Outcome | undefined): void {
    if (outcome?.kind === 'done') return;
    if (outcome?.kind === 'refused') {
      const { code, message } = outcome;
      this.#refused.push({ change, code, message });
      return;
    }
    this.#open.add(change.id);
    if (outcome?.kind === 'undecided') {
      this.#undecided.push(change);
      return;
    }
    this.#trouble ??= outcome?.error ?? new Error('nothing is known of a change');
  }

  isOff(id: ResourceId): boolean {
    return !this.state.userAssigned.has(id) && !this.#open.has(id);
  }

  holds(when: Condition, { kept, renew }: Difference): boolean {
    if (when.kind === 'now') return true;
    if (when.kind === 'off') return this.isOff(when.id) || kept.includes(when.id);
    // By the old identity of that name nobody gets a token.
    const isStale =
      renew.includes(when.id) && !this.#done.some(({ id, to }) => id === when.id && to === 'on');
    return this.state.userAssigned.has(when.id) && !this.#open.has(when.id) && !isStale;
  }

  result(): Pick<Settled, 'done' | 'refused' | 'undecided' | 'trouble'> {
    const [done, refused, undecided, trouble] = [this.#done, this.#refused, this.#undecided, this.#trouble];
    return { done, refused, undecided, trouble };
  }
}
