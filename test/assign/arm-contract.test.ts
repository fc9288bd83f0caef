import t, { type Test } from 'tap';
import type { Arm } from '../../lib/assign/arm.ts';
import { armErrorIn } from '../../lib/assign/arm-error.ts';
import type { Machine } from '../../lib/assign/machine.ts';
import { armIdOf } from '../../lib/assign/machine.ts';
import { isAppError } from '../../lib/model/errors.ts';
import { FakeArm } from '../fakes/arm.ts';
import { failureOf } from '../fakes/failure.ts';
import type { ArmMachine, MachineView, ManagedIdentity } from '../lab/arm/types.ts';
import { blue, green, grey, idOf, red, rig, sampleSystem, unending, vm, vmss } from './arm-rig.ts';

/** What the fake and the client with the simulator have in common. */
interface Subject {
  readonly arm: Arm;
  readonly put: (...machines: ArmMachine[]) => Promise<void>;
  readonly know: (...identities: ManagedIdentity[]) => Promise<void>;
  readonly forget: (...ids: string[]) => Promise<void>;
  readonly view: (machine: Machine) => Promise<MachineView | undefined>;
  readonly failNext: (code: string, message: string) => Promise<void>;
}

async function fake(): Promise<Subject> {
  const arm = new FakeArm();
  const { azure } = arm;
  azure.createIdentities(red, green, blue, grey);
  for (const machine of [vm, vmss]) await azure.addMachine(machine);
  return {
    arm,
    put: async (...machines) => {
      for (const machine of machines) await azure.addMachine(machine);
    },
    know: async (...identities) => azure.createIdentities(...identities),
    forget: (...ids) => azure.deleteIdentities(...ids),
    view: async (machine) => azure.view(armIdOf(machine)),
    failNext: async (code, message) => void arm.failures.push({ code, message }),
  };
}

async function client(test: Test): Promise<Subject> {
  const { arm, simulator } = await rig(test);
  return {
    arm,
    put: simulator.addMachines,
    know: simulator.createIdentities,
    forget: simulator.deleteIdentities,
    view: (machine) => simulator.machine(armIdOf(machine)),
    failNext: (code, message) => simulator.fault({ kind: 'fails', code, message }),
  };
}

/** The code of the AppError and ARM's own. */
async function refusalOf(work: Promise<unknown>): Promise<readonly [string, string]> {
  const error = await failureOf(() => work);
  return isAppError(error)
    ? [error.code, armErrorIn(error.answer?.body ?? '').code]
    : ['other', error.message];
}

const subjects = { 'the fake': fake, 'the client and the simulator': client };

for (const [name, make] of Object.entries(subjects)) {
  t.test(`${name}: a machine has what it was given, with the client ids, and no more`, async (t) => {
    const { arm, put } = await make(t);
    t.same(await arm.identitiesOf(vm), { hasSystem: false, userAssigned: new Map() });
    await arm.patch(
      vm,
      { identity: { type: 'UserAssigned', userAssignedIdentities: { [idOf(red)]: {} } } },
      unending,
    );
    t.same(await arm.identitiesOf(vm), {
      hasSystem: false,
      userAssigned: new Map([[idOf(red), red.clientId]]),
    });
    t.same((await arm.identitiesOf(vmss)).userAssigned, new Map());
    await put({ ...vm, systemAssigned: sampleSystem });
    t.same(await arm.identitiesOf(vm), { hasSystem: true, userAssigned: new Map() });
  });

  t.test(`${name}: an identity that is gone from Azure is named without a client id`, async (t) => {
    const { arm, put, forget } = await make(t);
    await put({ ...vm, userAssigned: [red.resourceId] });
    await forget(red.resourceId);
    t.same((await arm.identitiesOf(vm)).userAssigned, new Map([[idOf(red), '']]));
  });

  t.test(`${name}: a type takes away what it does not name`, async (t) => {
    const { arm, put, view } = await make(t);
    await put({ ...vm, systemAssigned: sampleSystem, userAssigned: [red.resourceId] });
    await arm.patch(vm, { identity: { type: 'SystemAssigned' } }, unending);
    t.match(await view(vm), { type: 'SystemAssigned', userAssigned: [] });
    await arm.patch(vm, { identity: { type: 'None' } }, unending);
    t.match(await view(vm), { type: 'None', userAssigned: [] });
  });

  t.test(`${name}: refuses, and changes nothing`, async (t) => {
    const { arm, put, know, view } = await make(t);
    await know({ ...grey, assignable: false });
    await put({ ...vm, userAssigned: [red.resourceId] });
    const absent = `${idOf(red)}x`;
    const cases: [string, Record<string, Record<string, never> | null>, string][] = [
      ['what may not be assigned', { [idOf(green)]: {}, [idOf(grey)]: {} }, 'LinkedAuthorizationFailed'],
      ['what does not exist', { [absent]: {} }, 'FailedIdentityOperation'],
      ['to take off what is not on', { [idOf(green)]: null }, 'InvalidIdentityValues'],
      ['to take all off under UserAssigned', { [idOf(red)]: null }, 'InvalidParameter'],
    ];
    for (const [what, userAssignedIdentities, code] of cases) {
      const patch = arm.patch(vm, { identity: { type: 'UserAssigned', userAssignedIdentities } }, unending);
      t.same(await refusalOf(patch), ['arm-refused', code], what);
    }
    t.match(await view(vm), { userAssigned: [idOf(red)] });
  });

  t.test(`${name}: tells a change that was taken and not made`, async (t) => {
    const { arm, failNext } = await make(t);
    await failNext('OperationPreempted', 'Another operation has preempted this one.');
    const patch = {
      identity: { type: 'UserAssigned', userAssignedIdentities: { [idOf(red)]: {} } },
    } as const;
    t.same(await refusalOf(arm.patch(vm, patch, unending)), ['arm-failed', 'OperationPreempted']);
    t.equal((await arm.identitiesOf(vm)).userAssigned.size, 0);
    await arm.patch(vm, patch, unending);
    t.equal((await arm.identitiesOf(vm)).userAssigned.size, 1);
  });

  t.test(`${name}: begins no change once it is told to stop`, async (t) => {
    const { arm, view } = await make(t);
    const over = AbortSignal.abort(new Error('the lease is lost'));
    const patch = {
      identity: { type: 'UserAssigned', userAssignedIdentities: { [idOf(red)]: {} } },
    } as const;
    t.same(await refusalOf(arm.patch(vm, patch, over)), ['other', 'the lease is lost']);
    t.match(await view(vm), { type: 'None', userAssigned: [] });
  });

  t.test(`${name}: tells a machine that is not there from one that is about to go`, async (t) => {
    const { arm, put } = await make(t);
    t.same(await refusalOf(arm.identitiesOf({ ...vm, name: 'other' })), ['arm-gone', 'unknown']);
    await put({ ...vm, provisioningState: 'Deleting' });
    t.same(await refusalOf(arm.identitiesOf(vm)), ['arm-deleting', 'unknown']);
  });
}
