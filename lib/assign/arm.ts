import { randomUUID } from 'node:crypto';
import { AppError, isAppError } from '../model/errors.ts';
import type { HttpResponse } from '../platform/http.ts';
import { ArmCaller, type ArmCallerOptions, named } from './arm-call.ts';
import { armErrorIn, parse, recordOf } from './arm-error.ts';
import { followOperation } from './arm-operation.ts';
import type { IdentityPatch, MachineIdentity } from './identity-patch.ts';
import { armIdOf, type Machine } from './machine.ts';

/** As in the original; PATCH of single ids came with 2018-06-01. */
const apiVersion = '2019-12-01';

export interface ArmOptions extends ArmCallerOptions {
  /** Of `http`: `https://management.azure.com`. */
  readonly origin: string;
}

/** Azure Resource Manager, as far as MIC needs it. */
export interface Arm {
  /**
   * Rejects with AppError arm-gone where there is no such machine, arm-deleting where it is about to go, and otherwise
   * arm-unreachable, arm-timeout, arm-throttled, arm-refused or arm-garbled, and as its token does.
   */
  identitiesOf(machine: Machine): Promise<MachineIdentity>;
  /**
   * Resolves when the change is made: ARM takes it and works on, 25 s as a rule and 30 minutes at most. Rejects as
   * `identitiesOf`, with arm-failed when ARM took the change and could not make it, and with the signal's reason: before the
   * change is begun it keeps it from being begun, and later it ends the looking and not the change.
   */
  patch(machine: Machine, patch: IdentityPatch, signal: AbortSignal): Promise<void>;
}

export function createArm(options: ArmOptions): Arm {
  const caller = new ArmCaller(options);
  const { clock, origin, throttle } = options;
  return {
    async identitiesOf(machine) {
      const response = await caller
        .ask({ method: 'GET', path: pathOf(machine), ...about(machine, 'get') })
        .catch((error: unknown) => Promise.reject(isMissing(error) ? gone(machine, error) : error));
      return identityIn(response, machine);
    },
    async patch(machine, patch, signal) {
      const path = pathOf(machine);
      const question = about(machine, 'update');
      const body = JSON.stringify(patch);
      const begun = await caller.ask({ method: 'PATCH', path, body, signal, ...question });
      await followOperation(
        begun,
        {
          ...{ clock, origin, machinePath: path, name: named(machine) },
          look: (at) => caller.ask({ ...question, method: 'GET', path: at, operation: 'poll' }),
          waitMs: () => throttle.waitMs(machine),
        },
        signal,
      );
    },
  };
}

function about<const Verb extends string>(
  machine: Machine,
  verb: Verb,
): { machine: Machine; operation: `${Machine['kind']}_${Verb}`; correlationId: string } {
  return { machine, operation: `${machine.kind}_${verb}`, correlationId: randomUUID() };
}

/** The names come from providerIDs and annotations; see `armName` for what they can hold. */
function pathOf(machine: Machine): string {
  const path = armIdOf(machine).split('/').map(encodeURIComponent).join('/');
  return `${path}?api-version=${apiVersion}`;
}

function identityIn({ body }: HttpResponse, machine: Machine): MachineIdentity {
  const resource = parse(body);
  if (resource !== recordOf(resource))
    throw new AppError(
      'arm-garbled',
      `Azure Resource Manager answered the GET of ${named(machine)} with no JSON object`,
    );
  const { identity, properties } = recordOf(resource);
  if (/^deleting$/i.test(String(recordOf(properties).provisioningState)))
    throw new AppError('arm-deleting', `${named(machine)} is being deleted`);
  const { type, principalId, userAssignedIdentities } = recordOf(identity);
  const ids = Object.entries(recordOf(userAssignedIdentities)).map(
    ([id, value]) => [id.toLowerCase(), clientIdIn(value)] as const,
  );
  // Either is enough: a system-assigned identity that we overlook, we would take.
  const hasSystem = /systemassigned/i.test(String(type)) || Boolean(principalId);
  return { hasSystem, userAssigned: new Map(ids) };
}

function clientIdIn(value: unknown): string {
  const { clientId } = recordOf(value);
  return typeof clientId === 'string' ? clientId : '';
}

/** A 404 that is about the machine. One for the subscription means a wrong tenant or no right to see it. */
function isMissing(error: unknown): boolean {
  if (!isAppError(error, 'arm-refused') || error.status !== 404) return false;
  return ['ResourceNotFound', 'ResourceGroupNotFound', 'NotFound'].includes(
    armErrorIn(error.answer?.body ?? '').code,
  );
}

function gone(machine: Machine, cause: unknown): AppError {
  return new AppError(
    'arm-gone',
    `there is no ${named(machine)} in resource group ${machine.resourceGroup}`,
    { cause },
  );
}
