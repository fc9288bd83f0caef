import type { Arm } from '../../lib/assign/arm.ts';
import { recordOf } from '../../lib/assign/arm-error.ts';
import type { IdentityPatch, MachineIdentity } from '../../lib/assign/identity-patch.ts';
import { armIdOf, type Machine, machineKey } from '../../lib/assign/machine.ts';
import { AppError } from '../../lib/model/errors.ts';
import { unlessAborted } from '../../lib/platform/wait.ts';
import { Azure, type Operation } from '../lab/arm/azure.ts';
import { bodyOf, type Refusal } from '../lab/arm/refusals.ts';
import { FakeClock } from './clock.ts';

/**
 * ARM without a network, on the simulator's own machines and rules. `azure` is what stands there, `patches` what was sent, `trouble` what
 * the next calls reject with, one each. Held to the real client by test/assign/arm-contract.test.ts.
 */
export class FakeArm implements Arm {
  readonly azure: Azure;
  readonly patches: { readonly machine: string; readonly patch: IdentityPatch }[] = [];
  readonly trouble: AppError[] = [];
  /** What a change that ARM takes ends with, having changed nothing; one each. */
  readonly failures: NonNullable<Operation['error']>[] = [];
  operationMs = 0;

  constructor(clock = new FakeClock()) {
    this.azure = new Azure(clock);
  }

  async identitiesOf(machine: Machine): Promise<MachineIdentity> {
    this.#refuse();
    const resource = recordOf(this.azure.resource(armIdOf(machine)));
    if (resource.id === undefined) throw new AppError('arm-gone', `there is no ${machine.name}`);
    if (recordOf(resource.properties).provisioningState === 'Deleting')
      throw new AppError('arm-deleting', `${machine.name} is being deleted`);
    const { principalId, userAssignedIdentities } = recordOf(resource.identity);
    const ids = Object.entries(recordOf(userAssignedIdentities)).map(
      ([id, value]) => [id.toLowerCase(), String(recordOf(value).clientId ?? '')] as const,
    );
    return { hasSystem: principalId !== undefined, userAssigned: new Map(ids) };
  }

  async patch(machine: Machine, patch: IdentityPatch, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.patches.push({ machine: machineKey(machine), patch });
    this.#refuse();
    const failure = this.failures.shift();
    const begun = this.azure.patch(armIdOf(machine), JSON.stringify(patch), this.operationMs, failure);
    if (typeof begun !== 'string') throw refused(begun);
    await unlessAborted(this.azure.operation(begun)?.ended ?? Promise.resolve(), signal);
    if (failure)
      throw new AppError('arm-failed', failure.message, { answer: { status: 200, body: bodyOf(failure) } });
  }

  #refuse(): void {
    const error = this.trouble.shift();
    if (error) throw error;
  }
}

function refused(refusal: Refusal): AppError {
  const { status, code, message } = refusal;
  return new AppError('arm-refused', `answered ${status} ${code}: ${message}`, {
    status,
    answer: { status, body: bodyOf(refusal) },
  });
}
