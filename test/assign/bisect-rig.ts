import type { Arm } from '../../lib/assign/arm.ts';
import { applyChanges, type Outcome } from '../../lib/assign/bisect.ts';
import { changesOf } from '../../lib/assign/identity-patch.ts';
import { armIdOf } from '../../lib/assign/machine.ts';
import { AppError } from '../../lib/model/errors.ts';
import { FakeArm } from '../fakes/arm.ts';
import type { ArmMachine, ManagedIdentity } from '../lab/arm/types.ts';
import { identity, idOf, unending, vm } from './arm-rig.ts';

export interface Scene {
  readonly arm: FakeArm;
  readonly all: readonly ManagedIdentity[];
  /** Puts these on the machine and takes those off. */
  run(
    add: readonly string[],
    remove?: readonly string[],
    through?: Arm,
  ): Promise<ReadonlyMap<string, Outcome>>;
  there(): readonly string[];
  /** After how many PATCHes there was a pause. */
  readonly rests: readonly number[];
}

/** `count` managed identities, none of them on the machine unless `machine` says so. */
export async function scene(count: number, machine: Partial<ArmMachine> = {}): Promise<Scene> {
  const arm = new FakeArm();
  const all = Array.from({ length: count }, (_, at) => identity(`id${String(at).padStart(3, '0')}`));
  arm.azure.createIdentities(...all);
  await arm.azure.addMachine({ ...vm, ...machine });
  const rests: number[] = [];
  return {
    ...{ arm, all, rests },
    run: async (add, remove = [], through = arm) => {
      const current = await arm.identitiesOf(vm);
      const changes = changesOf(current, { add, remove });
      const rest = async (): Promise<void> => void rests.push(arm.patches.length);
      return applyChanges(changes, { arm: through, machine: vm, current, signal: unending, rest });
    },
    there: () => arm.azure.view(armIdOf(vm))?.userAssigned ?? [],
  };
}

export function ids(identities: readonly ManagedIdentity[]): string[] {
  return identities.map(idOf);
}

export function kinds(outcomes: ReadonlyMap<string, Outcome>): Record<string, number> {
  const count: Record<string, number> = {};
  for (const { kind } of outcomes.values()) count[kind] = (count[kind] ?? 0) + 1;
  return count;
}

/** As ARM where it refuses these and does not say which, or blames whom `message` names. */
export function silentOn(
  arm: FakeArm,
  bad: readonly string[],
  { status = 400, code = 'InvalidParameter', message = 'The request is not valid.' } = {},
): Arm {
  return {
    identitiesOf: (machine) => arm.identitiesOf(machine),
    patch: async (machine, patch, signal) => {
      const isBad = Object.keys(patch.identity.userAssignedIdentities ?? {}).some((id) => bad.includes(id));
      if (!isBad) return arm.patch(machine, patch, signal);
      arm.patches.push({ machine: '', patch });
      const body = JSON.stringify({ error: { code, message } });
      throw new AppError('arm-refused', 'no', { status, answer: { status, body } });
    },
  };
}
